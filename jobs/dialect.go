package jobs

import (
	"fmt"

	"github.com/roamwerk/roamwerk/ocpi"
	v211 "github.com/roamwerk/roamwerk/ocpi/v211"
	v230 "github.com/roamwerk/roamwerk/ocpi/v230"
)

// Dialects are the versions of OCPI that the platform speaks with partners, each at its own URL (VER-04).
var Dialects = []*ocpi.Dialect{&v211.Dialect, {Version: ocpi.Version221}, &v230.Dialect}

// DialectOf returns how a version is spoken. The error is ours: nothing of another version is ever stored.
func DialectOf(version ocpi.VersionNumber) (*ocpi.Dialect, error) {
	for _, d := range Dialects {
		if d.Version == version {
			return d, nil
		}
	}
	return nil, fmt.Errorf("OCPI %q is not spoken", version)
}

// onePartyVersions are the versions in which a connection serves one utility (VDF-01).
func onePartyVersions() []string {
	versions := []string{}
	for _, d := range Dialects {
		if d.OneParty {
			versions = append(versions, string(d.Version))
		}
	}
	return versions
}

// ReadCDR reads a CDR that was stored as it came, in that version. The CPO is the one that it was stored for: a CDR of OCPI
// 2.1.1 does not say.
func ReadCDR(version string, raw []byte, cpo ocpi.Party) (ocpi.CDR, error) {
	var cdr ocpi.CDR
	d, err := DialectOf(ocpi.VersionNumber(version))
	if err == nil {
		_, err = d.Decode(raw, &cdr, ocpi.Origin{Owner: cpo, Role: ocpi.RoleCPO}, ocpi.UnmarshalLenient)
	}
	if err != nil {
		return cdr, fmt.Errorf("decode stored CDR: %v", err) //nolint:errorlint // not the caller's fault, must not become an answer
	}
	return cdr, nil
}
