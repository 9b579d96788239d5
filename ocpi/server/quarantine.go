package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// quarantined are the modules of which no message is lost. The others ask for something; what they do not get, they ask again.
var quarantined = []ocpi.ModuleID{ocpi.ModuleLocations, ocpi.ModuleTariffs, ocpi.ModuleSessions, ocpi.ModuleCDRs, ocpi.ModuleHubClientInfo}

// quarantineTime bounds how long a refusal waits to be stored.
const quarantineTime = 5 * time.Second

// quarantine stores a message that is refused for what it says, or that we fail to take, before the partner is told. The error
// is that it could not be stored.
func (c *call) quarantine(refused *ocpi.Error) error {
	r := c.echo.Request()
	writes := r.Method == http.MethodPut || r.Method == http.MethodPost || r.Method == http.MethodPatch
	content := refused.HTTPStatus == http.StatusOK || refused.HTTPStatus == http.StatusBadRequest
	if c.partner.ID == uuid.Nil || c.invited || !writes || !content || !slices.Contains(quarantined, c.module) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), quarantineTime)
	defer cancel()
	if !c.trace.read {
		if _, err := c.body(); err != nil && c.trace.message == nil {
			return nil // there is nothing to keep
		}
	}
	if c.trace.message == nil {
		return nil // its packing is broken
	}
	if c.inbound != nil && c.inbound.Quarantined != uuid.Nil {
		return c.stayQuarantined(ctx, refused)
	}
	first := firstReject(refused)
	routing := ocpi.ReadRouting(r.Header)
	_, err := c.DB.Quarantine(ctx, db.QuarantineParams{
		ID: uuid.Must(uuid.NewV7()), PartnerID: c.partner.ID, Module: string(c.module), Method: r.Method, Path: r.URL.EscapedPath(),
		SHA256: hash(c.trace.message), Body: c.trace.message, FromParty: clean(routing.From.String()), ToParty: clean(routing.To.String()),
		HTTPStatus: int32(refused.HTTPStatus), StatusCode: int32(refused.StatusCode), Message: clean(refused.Message), //nolint:gosec // three and four digits
		ErrorPath: clean(first.Path), ErrorRule: clean(first.Rule), ErrorValue: clean(first.Value), Now: c.Now(), MessageID: c.trace.id,
	})
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}

// stayQuarantined writes down why a message that was taken out of quarantine goes back.
func (c *call) stayQuarantined(ctx context.Context, refused *ocpi.Error) error {
	first := firstReject(refused)
	err := c.DB.QuarantineReason(ctx, db.QuarantineReasonParams{
		ID: c.inbound.Quarantined, HTTPStatus: int32(refused.HTTPStatus), StatusCode: int32(refused.StatusCode), Message: clean(refused.Message), //nolint:gosec // three and four digits
		ErrorPath: clean(first.Path), ErrorRule: clean(first.Rule), ErrorValue: clean(first.Value),
	})
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}

// firstReject is why a message was refused, as a finding.
func firstReject(refused *ocpi.Error) ocpi.Finding {
	for _, f := range refused.Findings {
		if f.Severity == ocpi.Reject {
			return f
		}
	}
	return ocpi.Finding{Rule: refused.Message}
}

// clean is text as PostgreSQL takes it.
func clean(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "�") }
