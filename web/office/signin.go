package office

import (
	"errors"
	"net/http"
	"strings"

	"github.com/roamwerk/roamwerk/db"
)

// signInForm is the sign-in page and what was wrong with the last try, as keys of texts.
type signInForm struct {
	Email    string
	Next     string
	Problem  string // of the whole form
	Email422 string // of the field
	Pass422  string
}

func (o *office) signInPage(v *visit) error {
	if _, err := o.whoIs(v.Request().Context()); err == nil {
		return v.Redirect(http.StatusSeeOther, string(v.Link("/overview")))
	}
	return v.render(http.StatusOK, signInView(v, signInForm{Next: ours(v.QueryParam("next"))}))
}

func (o *office) signIn(v *visit) error {
	ctx := v.Request().Context()
	f := signInForm{Email: strings.TrimSpace(v.FormValue("email")), Next: ours(v.FormValue("next"))}
	password := v.FormValue("password")
	if f.Email == "" {
		f.Email422 = "signin.email.missing"
	}
	if password == "" {
		f.Pass422 = "signin.password.missing"
	}
	if f.Email422 != "" || f.Pass422 != "" || len(password) > 1000 {
		return v.render(http.StatusUnprocessableEntity, signInView(v, f))
	}
	account := strings.ToLower(f.Email)
	if !o.throttle.allow(account, v.RealIP()) {
		f.Problem = "signin.throttled"
		return v.render(http.StatusTooManyRequests, signInView(v, f))
	}
	staff, err := o.DB.StaffByEmail(ctx, account)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return err
	}
	hash := staff.PasswordHash
	if err != nil {
		hash = o.decoy
	}
	fits, checkErr := o.passwordFits(ctx, hash, password)
	if checkErr != nil {
		return checkErr
	}
	if err != nil || !fits {
		f.Problem = "signin.wrong"
		return v.render(http.StatusUnprocessableEntity, signInView(v, f))
	}
	o.throttle.succeeded(account)
	if err := o.sessions.RenewToken(ctx); err != nil { // a token from before the sign-in may be known to somebody
		return err
	}
	o.sessions.Put(ctx, sessionStaff, staff.ID.String())
	if f.Next != "" {
		return v.Redirect(http.StatusSeeOther, f.Next)
	}
	return v.Redirect(http.StatusSeeOther, "/"+staff.Language+"/overview")
}

func (o *office) signOut(v *visit) error {
	if err := o.sessions.Destroy(v.Request().Context()); err != nil {
		return err
	}
	return v.Redirect(http.StatusSeeOther, string(v.Link("/signin")))
}

// ours lets only addresses of this host through, so that nobody is sent elsewhere after the sign-in.
func ours(next string) string {
	if strings.HasPrefix(next, "/de/") || strings.HasPrefix(next, "/en/") {
		return next
	}
	return ""
}
