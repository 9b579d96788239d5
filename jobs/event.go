package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// platform is the actor of what nobody started by hand.
const platform = "roamwerk"

type actorKey struct{}

// WithActor names who acts: what Ops does with the context is written down under this name.
func WithActor(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, actorKey{}, name)
}

type staffKey struct{}

// WithStaff is WithActor for a member of staff: decisions that need two people tell them apart by id, not by name.
func WithStaff(ctx context.Context, id uuid.UUID, name string) context.Context {
	return context.WithValue(WithActor(ctx, name), staffKey{}, id)
}

// staffOf is the member of staff who acts, if one does.
func staffOf(ctx context.Context) uuid.NullUUID {
	id, ok := ctx.Value(staffKey{}).(uuid.UUID)
	return uuid.NullUUID{UUID: id, Valid: ok}
}

// actor is who acts.
func actor(ctx context.Context) string {
	if name, ok := ctx.Value(actorKey{}).(string); ok {
		return name
	}
	return platform
}

// event writes one line of the timeline of a subject.
func event(ctx context.Context, q *db.Queries, at time.Time, tenant uuid.UUID, subject string, id uuid.UUID, what string, detail map[string]string) error {
	err := q.InsertEvent(ctx, db.InsertEventParams{
		ID: uuid.Must(uuid.NewV7()), At: at, TenantID: uuid.NullUUID{UUID: tenant, Valid: tenant != uuid.Nil},
		Actor: actor(ctx), Subject: subject, SubjectID: id, What: what, Detail: frozen(detail),
	})
	if err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	return nil
}
