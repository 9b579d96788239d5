package office

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/seal"
)

// What a session holds.
const (
	sessionStaff  = "staff"  // id
	sessionTenant = "tenant" // id of the utility that an operator has picked
	sessionNotice = "notice" // what the next page says once
)

func newSessions(opt Options) *scs.SessionManager {
	m := scs.New()
	m.Lifetime = 12 * time.Hour
	m.IdleTimeout = 2 * time.Hour
	m.Store = store{opt.DB, opt.Box}
	m.Cookie.Name = "roamwerk_office"
	if opt.Secure {
		m.Cookie.Name = "__Host-roamwerk_office"
	}
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.Secure = opt.Secure
	m.Cookie.Persist = false
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		opt.Log.ErrorContext(r.Context(), "session cannot be read or saved", "error", err)
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
	}
	return m
}

// store keeps sessions in PostgreSQL under the keyed hash of their token: who reads the table cannot sign in with it.
// Its clock is the machine's, as scs's is, not that of the platform.
type store struct {
	db  *db.DB
	box *seal.Box
}

var _ scs.CtxStore = store{}

func (s store) key(token string) []byte { return s.box.Hash("office-session/" + token) }

func (s store) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	data, err := s.db.WebSession(ctx, db.WebSessionParams{TokenHash: s.key(token), Now: time.Now()})
	if errors.Is(err, db.ErrNotFound) {
		return nil, false, nil
	}
	return data, err == nil, err
}

func (s store) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	return s.db.SaveWebSession(ctx, db.SaveWebSessionParams{TokenHash: s.key(token), Data: data, ExpiresAt: expiry})
}

func (s store) DeleteCtx(ctx context.Context, token string) error {
	return s.db.DeleteWebSession(ctx, s.key(token))
}

// scs asks for the methods without context too, and calls those with one.
func (s store) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s store) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

func (s store) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
