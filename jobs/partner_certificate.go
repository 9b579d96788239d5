package jobs

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// ShowCertificate sets the certificate with which we call a partner: certificate chain and key in PEM, kept encrypted; empty
// for none.
func (o *Ops) ShowCertificate(ctx context.Context, partner uuid.UUID, text []byte) error {
	var sealed []byte
	if len(text) > 0 {
		if _, err := tls.X509KeyPair(text, text); err != nil {
			return ocpi.InvalidParameter("certificate", "a certificate and its key in PEM", "")
		}
		sealed = o.Box.Seal(partnerLabel(partner)+"/certificate", string(text))
	}
	return o.change(ctx, partner, "certificate", func(q *db.Queries) error {
		return q.SetPartnerCertificate(ctx, db.SetPartnerCertificateParams{ID: partner, CertificateSealed: sealed})
	})
}

// CertificateShown is the certificate with which we call a partner; nil: none.
func (o *Ops) CertificateShown(p db.Partner) (*x509.Certificate, error) {
	pair, err := partnerCertificate(o.Box, p)
	if err != nil || pair == nil {
		return nil, err
	}
	return pair.Leaf, nil
}

// PinCertificate sets the certificate, in PEM, that a partner must call us with; empty for any or none.
func (o *Ops) PinCertificate(ctx context.Context, partner uuid.UUID, text []byte) error {
	var pin []byte
	if len(text) > 0 {
		block, _ := pem.Decode(text)
		if block == nil || block.Type != "CERTIFICATE" {
			return ocpi.InvalidParameter("certificate", "a certificate in PEM", "")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil { // it could never call us
			return ocpi.InvalidParameter("certificate", "a certificate in PEM", "")
		}
		sum := sha256.Sum256(block.Bytes)
		pin = sum[:]
	}
	return o.change(ctx, partner, "certificate pinned", func(q *db.Queries) error {
		return q.SetPartnerPin(ctx, db.SetPartnerPinParams{ID: partner, CertificatePin: pin})
	})
}

// HideModules sets what our version details do not list to a partner that fails on modules which it does not know.
func (o *Ops) HideModules(ctx context.Context, partner uuid.UUID, modules []ocpi.ModuleID) error {
	hidden := []string{}
	for _, m := range modules {
		if !m.Known() || m == ocpi.ModuleCredentials {
			return ocpi.InvalidParameter("module", "a module other than credentials", string(m))
		}
		hidden = append(hidden, string(m))
	}
	return o.change(ctx, partner, "modules hidden", func(q *db.Queries) error {
		return q.SetHiddenModules(ctx, db.SetHiddenModulesParams{ID: partner, HiddenModules: hidden})
	})
}

// change changes a setting of a partner and writes that down.
func (o *Ops) change(ctx context.Context, partner uuid.UUID, what string, set func(q *db.Queries) error) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		if _, err := q.LockPartner(ctx, partner); err != nil {
			return fmt.Errorf("partner: %w", err)
		}
		if err := set(q); err != nil {
			return fmt.Errorf("set %s: %w", what, err)
		}
		return event(ctx, q, o.Now(), uuid.Nil, "partner", partner, what, nil)
	})
}
