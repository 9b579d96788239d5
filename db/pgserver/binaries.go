package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// oldest is the oldest major version of PostgreSQL that the platform runs on.
const oldest = 15

// ErrNoBinaries says that no fitting PostgreSQL is installed.
var ErrNoBinaries = errors.New("no fitting PostgreSQL is installed")

// binaries is one installed PostgreSQL.
type binaries struct {
	dir   string
	major int
}

func (b binaries) path(program string) string { return filepath.Join(b.dir, program) }

// findBinaries finds the PostgreSQL for the cluster in data: the one of its
// major version, or the newest where there is no cluster yet.
func findBinaries(dirs []string, data string, acc account) (binaries, error) {
	if dirs == nil {
		dirs = usualDirs()
	}
	var found []binaries
	var refused error
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
			continue
		}
		major, err := askVersion(filepath.Join(dir, "postgres"), acc)
		if err != nil {
			refused = errors.Join(refused, err)
			continue
		}
		found = append(found, binaries{dir: dir, major: major})
	}
	slices.SortStableFunc(found, func(a, b binaries) int { return b.major - a.major })

	written, err := clusterVersion(data)
	if err != nil {
		return binaries{}, err
	}
	for _, b := range found {
		if b.major == written || written == 0 && b.major >= oldest {
			return b, nil
		}
	}
	if written == 0 {
		return binaries{}, errors.Join(fmt.Errorf("%w: found %s, need %d or newer; run make setup, or install the package postgresql",
			ErrNoBinaries, versions(found), oldest), refused)
	}
	return binaries{}, errors.Join(fmt.Errorf("%w: the data was written by PostgreSQL %d and only that version reads it, found %s; "+
		"install postgresql-%d, or move the folder away to start empty", ErrNoBinaries, written, versions(found), written), refused)
}

// usualDirs are the places where Debian, Red Hat and PATH have the programs.
func usualDirs() []string {
	var dirs []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"} {
		match, err := filepath.Glob(pattern)
		if err != nil {
			panic(err) // the patterns are constants
		}
		dirs = append(dirs, match...)
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil && !slices.Contains(dirs, filepath.Dir(path)) {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	return dirs
}

var versionText = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// askVersion runs the program under the account that will run it later, so that
// a folder which is closed to that account is noticed here.
func askVersion(program string, acc account) (int, error) {
	cmd := exec.CommandContext(context.Background(), program, "--version")
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", environment(), acc.attr()
	out, err := cmd.Output()
	if errors.Is(err, os.ErrPermission) {
		return 0, fmt.Errorf("user %s cannot run %s: open each folder above it (chmod o+x)", acc.name, program)
	}
	if err != nil {
		return 0, fmt.Errorf("%s --version: %w", program, err)
	}
	m := versionText.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("%s --version: unexpected answer %q", program, out)
	}
	return strconv.Atoi(string(m[1]))
}

// clusterVersion is the major version that wrote the cluster, 0 where there is
// none.
func clusterVersion(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil {
		return 0, fmt.Errorf("version of the cluster: %w", err)
	}
	return major, nil
}

func versions(found []binaries) string {
	if len(found) == 0 {
		return "none"
	}
	var b []byte
	for i, f := range found {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = fmt.Appendf(b, "%d in %s", f.major, f.dir)
	}
	return string(b)
}
