package jobs

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Inbound is a message of a partner that comes another way than through the door: we fetched it, or it is taken out of
// quarantine. It goes through the same handlers as a message that the partner pushes.
type Inbound struct {
	Partner uuid.UUID
	Method  string
	Path    string // below the URL of the version, escaped, without a slash in front: locations/DE/CPO/LOC1
	Body    []byte // as the partner wrote it

	Version ocpi.VersionNumber // of OCPI, in which it is written; empty: the one that the partner speaks now

	Routing     ocpi.Routing // that it came with; zero: it came without
	Quarantined uuid.UUID    // where it stays, with the reason of today, when it is refused; Nil: it goes there
}

// Receipt is how it was answered.
type Receipt struct {
	HTTPStatus int
	StatusCode ocpi.StatusCode
	Message    string // status_message
}

// Taken reports whether the message was accepted.
func (r Receipt) Taken() bool {
	return r.HTTPStatus >= http.StatusOK && r.HTTPStatus < http.StatusMultipleChoices && r.StatusCode.Success()
}
