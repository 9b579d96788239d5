package jobs

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// ourPath is the path of a message to us: the version that it is written in, and what is below its URL.
var ourPath = regexp.MustCompile(`^/?ocpi/([0-9.]+)/(.*)$`)

// Replay gives a message that is in quarantine to the door again, for the addressee that it had; receive takes it as if the
// partner had sent it. A message that is taken leaves the quarantine; one that is refused again stays, with what is said of it
// now. db.ErrNotFound: it is not there, or no longer in quarantine.
func (o *Ops) Replay(ctx context.Context, receive func(context.Context, Inbound) (Receipt, error), id uuid.UUID) (Receipt, error) {
	row, err := o.DB.QuarantinedMessage(ctx, id)
	if err != nil {
		return Receipt{}, fmt.Errorf("message in quarantine: %w", err)
	}
	if row.State != "open" {
		return Receipt{}, fmt.Errorf("message %s is %s: %w", id, row.State, db.ErrNotFound)
	}
	path := ourPath.FindStringSubmatch(row.Path)
	if path == nil {
		return Receipt{}, fmt.Errorf("message %s came to %s, which is no address of ours", id, row.Path)
	}
	in := Inbound{
		Partner: row.PartnerID, Method: row.Method, Version: ocpi.VersionNumber(path[1]), Path: path[2], Body: row.Body, Quarantined: row.ID,
		Routing: ocpi.Routing{From: routedParty(row.FromParty), To: routedParty(row.ToParty)},
	}
	receipt, err := receive(ctx, in)
	if err != nil {
		return receipt, fmt.Errorf("replay message %s: %w", id, err)
	}
	if !receipt.Taken() {
		return receipt, nil // the door has written down why
	}
	return receipt, o.leaveQuarantine(ctx, row, "replayed", fmt.Sprintf("HTTP %d, %d", receipt.HTTPStatus, receipt.StatusCode))
}

// routedParty is a party as messages name it; none for what names none.
func routedParty(name string) ocpi.Party {
	party, err := ocpi.ParseParty(name)
	if err != nil {
		return ocpi.Party{}
	}
	return party
}

// Dismiss puts a message in quarantine away for a reason. It stays away when it comes again. db.ErrNotFound: as for Replay.
func (o *Ops) Dismiss(ctx context.Context, id uuid.UUID, reason string) error {
	if reason == "" {
		return errors.New("a message is dismissed for a reason")
	}
	row, err := o.DB.QuarantinedMessage(ctx, id)
	if err != nil {
		return fmt.Errorf("message in quarantine: %w", err)
	}
	return o.leaveQuarantine(ctx, row, "dismissed", reason)
}

func (o *Ops) leaveQuarantine(ctx context.Context, row db.Quarantine, state, resolution string) error {
	left, err := o.DB.ResolveQuarantined(ctx, db.ResolveQuarantinedParams{
		ID: row.ID, State: state, Resolution: resolution, ResolvedBy: actor(ctx), Now: o.Now(), Count: row.Count,
	})
	if err != nil {
		return fmt.Errorf("resolve message %s: %w", row.ID, err)
	}
	if left == 0 {
		return fmt.Errorf("message %s has left quarantine, or came again: %w", row.ID, db.ErrNotFound)
	}
	return nil
}
