// Command roamwerk is the platform: its doors, its workers, its administration
// and, for development and demonstrations, all of it in one process.
//
// It is the only package that sees all others. It reads the configuration,
// opens the connections and puts the parts together; app.go shows how.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/caarlos0/env/v11"
	"github.com/redis/go-redis/v9/logging"

	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// cli is every command. What administers a platform reaches the one that "dev"
// runs in --data, or the one that the environment names.
type cli struct {
	Data string `help:"Folder of a platform run by 'roamwerk dev' (default: .dev)." placeholder:"DIR"`

	Dev     devCmd     `cmd:"" help:"Run everything in one process, with its own PostgreSQL and Redis."`
	Serve   serveCmd   `cmd:"" help:"Run the doors: OCPI for partners, pages for people."`
	Work    workCmd    `cmd:"" help:"Run the workers and the schedule."`
	Migrate migrateCmd `cmd:"" help:"Bring the database schema up to date."`
	Config  configCmd  `cmd:"" help:"Print every setting with its value, default and meaning."`

	Tenant        tenantCmd        `cmd:"" help:"Administer utilities."`
	Partner       partnerCmd       `cmd:"" help:"Administer OCPI partners."`
	Card          cardCmd          `cmd:"" help:"Administer cards."`
	Plan          planCmd          `cmd:"" help:"Administer retail tariffs."`
	Pricebook     pricebookCmd     `cmd:"" help:"Administer price books: which plan prices which session."`
	Group         groupCmd         `cmd:"" help:"Administer customer groups."`
	Customer      customerCmd      `cmd:"" help:"Administer customers."`
	Voucher       voucherCmd       `cmd:"" help:"Administer vouchers."`
	Command       commandCmd       `cmd:"" help:"Command charge points: start, stop, reserve, cancel, unlock."`
	CDR           cdrCmd           `cmd:"" name:"cdr" help:"Review CDRs: list, show, decide, rate again."`
	Invoice       invoiceCmd       `cmd:"" help:"Bill, list and export invoices."`
	Reimbursement reimbursementCmd `cmd:"" help:"Administer agreements with those whom a utility pays: for charging at home, and for hosting charge points."`

	Meter    meterCmd    `cmd:"" help:"Verify signed meter data, administer the keys of meters."`
	Price    priceCmd    `cmd:"" help:"Price CDRs by the tariffs in them, without a database."`
	Tariff   tariffCmd   `cmd:"" help:"Look at tariffs, without a database."`
	Simulate simulateCmd `cmd:"" help:"Be a CPO or a hub towards any platform, to try it out or to load it."`
}

// outside is what a command gets from the world.
type outside struct {
	ctx            context.Context // ends when the program is asked to stop
	environ        map[string]string
	data           string // --data, may be empty
	stdout, stderr io.Writer
}

func main() {
	logging.Disable() // go-redis prints to stderr, past our log, what it also returns as an error
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second Ctrl-C does not wait for a clean end.
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Args[1:], env.ToMap(os.Environ()), os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "roamwerk:", err)
		os.Exit(1)
	}
}

// run runs the program with these arguments until it is done or ctx ends.
func run(ctx context.Context, args []string, environ map[string]string, stdout, stderr io.Writer) error {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("roamwerk"),
		kong.Description("Open EV roaming and billing platform. Settings: roamwerk config."),
		kong.Writers(stdout, stderr),
		kong.Vars{"faults": strings.Join(ocpitest.FaultNames(), ", "), "policies": policyNames()},
	)
	if err != nil {
		return err
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return chosen.Run(&outside{ctx: ctx, environ: environ, data: c.Data, stdout: stdout, stderr: stderr})
}
