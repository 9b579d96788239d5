package office

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// fieldForm is a form as a person has filled it in, with what is wrong with it by field.
type fieldForm struct {
	values url.Values
	errors map[string]string
}

// number reads a field that counts something; what cannot be read is told by its field.
func (f *fieldForm) number(v *visit, field string) int32 {
	n, err := strconv.ParseInt(strings.TrimSpace(f.values.Get(field)), 10, 32)
	if err != nil {
		f.errors[field] = v.Lang.T("number.wrong", f.values.Get(field))
	}
	return int32(n)
}

// take tells what was refused by its field, and whether something is wrong. Other errors it gives back.
func (f *fieldForm) take(v *visit, texts string, err error) (wrong bool, other error) {
	var refusal *jobs.Refusal
	var refused *ocpi.Error
	switch {
	case errors.As(err, &refusal):
		f.errors["reason"] = v.sentence(refusal.Text)
	case errors.As(err, &refused) && len(refused.Findings) > 0:
		field := refused.Findings[0].Path
		f.errors[field] = v.Lang.T(texts + field)
	case err != nil:
		return false, err
	}
	return len(f.errors) > 0, nil
}
