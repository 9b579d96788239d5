package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"math"
	"regexp"
	"strconv"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// ChangeTenant changes the details of a utility; change gets them as they are. What partners are told of a utility, its name
// and website, they are told again (CRED-24). Documents that were issued stay as they are.
//
// Its error is a *billing.DraftError if something that was entered cannot be, or if documents that are real would lack something.
func (o *Ops) ChangeTenant(ctx context.Context, id uuid.UUID, change func(t *db.Tenant)) (db.Tenant, error) {
	return o.ChangeTenantFrom(ctx, id, 0, change)
}

// ChangeTenantFrom is ChangeTenant for somebody who has seen a version of the details: of two at once the second is refused.
func (o *Ops) ChangeTenantFrom(ctx context.Context, id uuid.UUID, version int32, change func(t *db.Tenant)) (db.Tenant, error) {
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, id); err != nil {
			return fmt.Errorf("lock tenant: %w", err)
		}
		before, err := q.Tenant(ctx, id)
		if err != nil {
			return fmt.Errorf("tenant: %w", err)
		}
		if version != 0 && version != before.Version {
			return refuse("data-changed")
		}
		t := before
		change(&t)
		if err := checkTenant(&before, &t); err != nil {
			return err
		}
		detail := tenantChanges(&before, &t)
		if len(detail) == 0 {
			return nil
		}
		err = q.ChangeTenant(ctx, db.ChangeTenantParams{
			ID: id, Name: t.Name, Mode: t.Mode, Street: t.Street, PostalCode: t.PostalCode, City: t.City, VATID: t.VATID, TaxNumber: t.TaxNumber, Register: t.Register,
			ContactName: t.ContactName, ContactPhone: t.ContactPhone, ContactEmail: t.ContactEmail, Website: t.Website, IBAN: t.IBAN, BIC: t.BIC, CreditorID: t.CreditorID,
			Colour: t.Colour, LegalFooter: t.LegalFooter, Logo: t.Logo, PaymentDays: t.PaymentDays,
		})
		if err != nil {
			return fmt.Errorf("change tenant: %w", err)
		}
		return event(ctx, q, o.Now(), id, "tenant", id, "changed", detail)
	})
	if err != nil {
		return db.Tenant{}, err
	}
	return o.DB.Tenant(ctx, id)
}

// tenantChanges is what a change has changed, for the timeline.
func tenantChanges(before, after *db.Tenant) map[string]string {
	detail := changedData(SupplierData, before, after)
	if before.PaymentDays != after.PaymentDays {
		detail["payment.days"] = beforeAfter(strconv.Itoa(int(before.PaymentDays)), strconv.Itoa(int(after.PaymentDays)))
	}
	if before.Mode != after.Mode {
		detail["mode"] = beforeAfter(before.Mode, after.Mode)
	}
	if !bytes.Equal(before.Logo, after.Logo) {
		detail["supplier.logo"] = beforeAfter(logoSize(before.Logo), logoSize(after.Logo))
	}
	return detail
}

func logoSize(logo []byte) string {
	c, err := png.DecodeConfig(bytes.NewReader(logo))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("PNG %d × %d", c.Width, c.Height)
}

var colour = regexp.MustCompile(`^#[0-9a-f]{6}$`)

const (
	maxLogoBytes  = 512 << 10
	maxLogoPixels = 4 << 20
)

// checkTenant says what cannot be of what was changed, and what real documents would lack.
func checkTenant(before, after *db.Tenant) error {
	wrong := tidyData(SupplierData, before, after)
	say := func(bad bool, field, de, en string) {
		if bad {
			wrong = append(wrong, billing.Problem{Field: field, DE: de, EN: en})
		}
	}
	say(!colour.MatchString(after.Colour), "supplier.colour", "Eine Farbe steht als # und sechs Hexadezimalziffern, zum Beispiel #0b5cad.", "A colour is # and six hexadecimal digits, for example #0b5cad.")
	say(after.Colour != before.Colour && colour.MatchString(after.Colour) && contrast(after.Colour) < minContrast, "supplier.colour",
		"Die Farbe ist zu hell: Weiß darauf wäre kaum zu lesen (Kontrast unter 4,5:1).", "The colour is too light: white on it could hardly be read (contrast below 4.5:1).")
	say(after.PaymentDays < 0 || after.PaymentDays > 90, "payment.days", "Das Zahlungsziel hat 0 bis 90 Tage.", "The term of payment has 0 to 90 days.")
	if !bytes.Equal(before.Logo, after.Logo) && len(after.Logo) > 0 {
		c, err := png.DecodeConfig(bytes.NewReader(after.Logo))
		say(err != nil || len(after.Logo) > maxLogoBytes || c.Width*c.Height > maxLogoPixels, "supplier.logo", "Das Logo ist eine PNG-Datei bis 512 KB und vier Megapixel.", "The logo is a PNG file of up to 512 KB and four megapixels.")
	}
	say(after.Name == "", "supplier.name", missing("").DE, missing("").EN)
	if after.Mode == "live" && len(wrong) == 0 {
		wrong = MissingLegalData(*after)
	}
	if len(wrong) > 0 {
		return &billing.DraftError{Problems: wrong}
	}
	return nil
}

// minContrast is what text needs to be read (WCAG 2.1, 1.4.3).
const minContrast = 4.5

// contrast is that of white on a colour, which is written #rrggbb (WCAG 2.1, relative luminance).
func contrast(colour string) float64 {
	luminance := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		part, _ := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		c := float64(part) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		luminance += weight * c
	}
	return 1.05 / (luminance + 0.05)
}

// DraftProblems are what an error says of single fields; nil if it says nothing of them.
func DraftProblems(err error) []billing.Problem {
	var faulty *billing.DraftError
	if errors.As(err, &faulty) {
		return faulty.Problems
	}
	return nil
}
