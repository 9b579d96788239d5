package db

import (
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// utcTimestamptz makes every instant that is read a time in UTC, so that rows compare and print alike on every machine.
var utcTimestamptz = pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}}

// latestMigration is the number of the newest embedded migration.
func latestMigration() int64 {
	var latest int64
	names, _ := fs.Glob(Migrations, "migrations/*.sql") // the pattern is valid and the files are embedded
	for _, name := range names {
		digits, _, _ := strings.Cut(strings.TrimPrefix(name, "migrations/"), "_")
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil && n > latest {
			latest = n
		}
	}
	return latest
}
