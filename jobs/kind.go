package jobs

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

// job is what the platform knows of a kind of work. All three functions look at rows; none keeps state.
type job struct {
	// run does the work on one row. Its first statement locks the row, its last moves the state, so that a second ring for
	// the same row finds nothing to do.
	run func(w *Worker, ctx context.Context, id uuid.UUID) error
	// due finds rows whose time has come.
	due func(ctx context.Context, q *db.Queries, now time.Time) ([]uuid.UUID, error)
	// postpone makes a row due again later, with a reason that a clerk can read.
	postpone func(w *Worker, ctx context.Context, id uuid.UUID, reason error) error
}

// jobs is every kind of work there is.
var jobs = map[Kind]job{
	CDRRate:       {(*Worker).rateCDR, cdrsDue, (*Worker).postponeCDR},
	CDRBulk:       {(*Worker).runBulk, bulksDue, (*Worker).postponeBulk},
	TokenPush:     {(*Worker).pushToken, tokensDue, (*Worker).postponeToken},
	TokenUrgent:   {(*Worker).pushToken, blocksDue, (*Worker).postponeToken},
	PartnerPull:   {(*Worker).pullPartner, pullsDue, (*Worker).postponePull},
	PartnerCheck:  {(*Worker).checkPartner, checksDue, (*Worker).postponeCheck},
	TariffLint:    {(*Worker).lintTariffs, tariffsDue, (*Worker).postponeTariffs},
	PartnerTell:   {(*Worker).announce, announcementsDue, (*Worker).postponeAnnouncement},
	CommandWait:   {(*Worker).endWait, commandsDue, (*Worker).postponeCommand},
	InvoiceRun:    {(*Worker).collectDueRun, runsDue, (*Worker).postponeRun},
	InvoiceRender: {(*Worker).RenderInvoice, invoicesDue, (*Worker).postponeInvoice},
	BacktestRun:   {(*Worker).RunBacktest, backtestsDue, (*Worker).postponeBacktest},
	EmailSend:     {(*Worker).sendEmail, emailsDue, (*Worker).postponeEmail},
	FileDrop:      {(*Worker).dropFile, fileDropsDue, (*Worker).postponeFileDrop},
}
