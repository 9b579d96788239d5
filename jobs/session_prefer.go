package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// PreferCharging tells a CPO how the driver wants a running session to be charged (SES-19). The command that is returned is
// final: only accepted is a success for the driver, and its response says what is missing otherwise (SES-20).
func (o *Ops) PreferCharging(ctx context.Context, by By, p Profiled, wish ocpi.ChargingPreferences) (db.Command, error) {
	if !wish.ProfileType.Known() {
		return db.Command{}, notSent(ReasonInvalid, "there is no charging profile %q", wish.ProfileType)
	}
	s, err := o.running(ctx, by, p.Tenant, p.Session, p.UID)
	if err != nil {
		return db.Command{}, err
	}
	if s.doc.Status != ocpi.SessionActive {
		return db.Command{}, notSent(ReasonNotRunning, "session %s does not charge", s.doc.ID)
	}
	if err := s.requires(ocpi.CapabilityChargingPreferences); err != nil {
		return db.Command{}, err
	}
	if err := o.hasTariffFor(ctx, s, wish.ProfileType); err != nil {
		return db.Command{}, err
	}
	w, err := o.wayTo(ctx, s.tenant, s.doc.Party(), ocpi.ModuleSessions, ocpi.Sender)
	if err != nil {
		return db.Command{}, err
	}
	if w.peer.Auth.Dialect.NoPreferences {
		return db.Command{}, notSent(ReasonNotOffered, "%s speaks OCPI %s, which has no charging preferences", w.partner.Name, w.partner.Version)
	}
	row := s.row(SetPreferences)
	if row.Detail, err = ocpi.Marshal(wish); err != nil {
		return db.Command{}, fmt.Errorf("encode charging preferences: %w", err)
	}
	return o.issue(ctx, w, row, func(ctx context.Context, _ uuid.UUID) (response, error) {
		r, err := o.Client.SetChargingPreferences(ctx, w.peer, w.endpoint, s.doc.ID, wish)
		return response{result: string(r), final: true}, err
	})
}

// tariffTypes are the types of tariff that a driver's wish can be priced by (PRC-02).
var tariffTypes = map[ocpi.ProfileType]ocpi.TariffType{
	ocpi.ProfileCheap:   ocpi.TariffProfileCheap,
	ocpi.ProfileFast:    ocpi.TariffProfileFast,
	ocpi.ProfileGreen:   ocpi.TariffProfileGreen,
	ocpi.ProfileRegular: ocpi.TariffRegular,
}

// hasTariffFor checks that the connector has a tariff for the wish, as far as its tariffs are known: one of that type, or one
// without a type, which is for every session.
func (o *Ops) hasTariffFor(ctx context.Context, s session, wish ocpi.ProfileType) error {
	if s.evse == nil {
		return nil
	}
	i := slices.IndexFunc(s.evse.Connectors, func(c ocpi.Connector) bool { return c.ID.Equal(s.doc.ConnectorID) })
	if i < 0 || len(s.evse.Connectors[i].TariffIDs) == 0 {
		return nil
	}
	for _, id := range s.evse.Connectors[i].TariffIDs {
		row, err := o.DB.CurrentTariff(ctx, db.CurrentTariffParams{CountryCode: string(s.doc.CountryCode), PartyID: string(s.doc.PartyID), TariffID: string(id)})
		if errors.Is(err, db.ErrNotFound) {
			return nil // not known: for the CPO to say
		} else if err != nil {
			return fmt.Errorf("tariff %s: %w", id, err)
		}
		var tariff ocpi.Tariff
		if err := ocpi.Unmarshal(row.Doc, &tariff); err != nil {
			return fmt.Errorf("decode stored tariff: %v", err) //nolint:errorlint // not the caller's fault
		}
		if tariff.Type == "" || tariff.Type == tariffTypes[wish] {
			return nil
		}
	}
	return notSent(ReasonNotCapable, "connector %s has no tariff for %s", s.doc.ConnectorID, wish)
}
