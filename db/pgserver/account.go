package pgserver

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is the user that runs the server.
type account struct {
	name     string
	uid, gid uint32
	// drop says that we are root and the server is not.
	drop bool
}

// accountFor chooses the account for a server on the cluster in data (which
// need not exist) when this process runs as uid. initdb and postgres refuse to
// run as root and refuse a user without a name.
func accountFor(uid int, data string) (account, error) {
	if uid != 0 {
		u, err := user.LookupId(strconv.Itoa(uid))
		if err != nil {
			return account{}, fmt.Errorf("user id %d has no name, and PostgreSQL refuses to run without one: "+
				"add the user to /etc/passwd, or run as root: %w", uid, err)
		}
		return newAccount(u, false)
	}

	// An existing cluster stays with its owner, also when a "postgres" user
	// appeared after it was created.
	info, err := os.Stat(data)
	if err == nil {
		owner := strconv.FormatUint(uint64(info.Sys().(*syscall.Stat_t).Uid), 10)
		u, err := user.LookupId(owner)
		if err != nil {
			return account{}, fmt.Errorf("owner %s of %s: %w", owner, data, err)
		}
		if u.Uid == "0" {
			return account{}, fmt.Errorf("%s belongs to root, and PostgreSQL refuses to run as root: "+
				"give it back to its user, for example with chown -R postgres: %s", data, data)
		}
		return newAccount(u, true)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return account{}, err
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return newAccount(u, true)
		}
	}
	return account{}, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody to run it as: add one")
}

func newAccount(u *user.User, drop bool) (account, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("user %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("user %s: %w", u.Username, err)
	}
	return account{name: u.Username, uid: uint32(uid), gid: uint32(gid), drop: drop}, nil
}

// own gives path to the account.
func (a account) own(path string) error {
	if !a.drop {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

// attr is how a program is started under the account: in a process group of its
// own, so that Ctrl-C in a terminal reaches us and not the server, which has to
// outlast the work in progress.
func (a account) attr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a.drop {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}
