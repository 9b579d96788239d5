package db

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// IsUnstorable reports whether err says that a value is outside of what PostgreSQL can hold (SQLSTATE class 22), such as a
// number of a million digits in a part of a document that nobody reads.
func IsUnstorable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && strings.HasPrefix(pg.Code, "22")
}

// IsCheckViolation reports whether err is a violation of the named check, or of what a trigger checks under that name.
func IsCheckViolation(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23514" && pg.ConstraintName == constraint
}

// IsExclusion reports whether err says that a row and another one exclude each other.
func IsExclusion(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23P01"
}
