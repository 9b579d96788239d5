package v211

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Commands of OCPI 2.1.1 (VDF-09). StopSession and UnlockConnector are as in
// 2.2.1, and so is what can be understood of the answers: both are
// CommandResponses, of which the second may have results that a CommandResult
// does not know and that are no success.
var (
	startSession = ocpi.Mapping{
		{Ours: "token", Theirs: "token", Each: token},
		{Ours: "connector_id"},
		{Ours: "authorization_reference"},
	}
	reserveNow = ocpi.Mapping{
		{Ours: "token", Theirs: "token", Each: token},
		{Ours: "reservation_id", Theirs: "reservation_id", Out: integer},
		{Ours: "authorization_reference"},
	}
)

// integer turns a reservation's id into the int that it is in OCPI 2.1.1.
func integer(value jsontext.Value, _ *ocpi.Passage) (jsontext.Value, error) {
	text, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return nil, fmt.Errorf("reservation_id: %w", err)
	}
	n, err := strconv.ParseInt(string(text), 10, 32)
	if err != nil {
		return nil, fmt.Errorf("OCPI 2.1.1 needs an integer as reservation_id: %w", err)
	}
	return jsontext.Value(strconv.FormatInt(n, 10)), nil
}
