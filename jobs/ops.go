package jobs

import (
	"log/slog"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/seal"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// Ops is what people start: from the back office, from the command line, from the demo.
type Ops struct {
	DB   *db.DB
	Box  *seal.Box
	Bell *Bell
	Now  func() time.Time
	Log  *slog.Logger

	Client  *client.Client // calls partners during a handshake
	BaseURL string         // public address of the platform, as partners reach it
	Offer   string         // names what our version details list; see package ocpi/server
}
