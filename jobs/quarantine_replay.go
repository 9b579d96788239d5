package jobs

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// ourVersionPath is what stands before the module in the path of a message to us.
var ourVersionPath = regexp.MustCompile(`^(/?ocpi)?/?[0-9]+\.[0-9.]+/`)

// Replay gives a message that is in quarantine to the door again; receive takes it as if the partner had sent it. A message that
// is taken leaves the quarantine; one that is refused again stays, with what is said of it now. db.ErrNotFound: it is not there,
// or no longer in quarantine.
func (o *Ops) Replay(ctx context.Context, receive func(context.Context, Inbound) (Receipt, error), id uuid.UUID) (Receipt, error) {
	row, err := o.DB.QuarantinedMessage(ctx, id)
	if err != nil {
		return Receipt{}, fmt.Errorf("message in quarantine: %w", err)
	}
	if row.State != "open" {
		return Receipt{}, fmt.Errorf("message %s is %s: %w", id, row.State, db.ErrNotFound)
	}
	receipt, err := receive(ctx, Inbound{Partner: row.PartnerID, Method: row.Method, Path: ourVersionPath.ReplaceAllString(row.Path, ""), Body: row.Body})
	if err != nil {
		return receipt, fmt.Errorf("replay message %s: %w", id, err)
	}
	if !receipt.Taken() {
		return receipt, nil // the door has written down why
	}
	return receipt, o.leaveQuarantine(ctx, row, "replayed", fmt.Sprintf("HTTP %d, %d", receipt.HTTPStatus, receipt.StatusCode))
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
