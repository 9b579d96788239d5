package main

import (
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

type invoiceNumbersCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
}

// listedSeries is a number range as commands print it.
type listedSeries struct {
	Series    string     `json:"series"`
	Last      int64      `json:"last"` // number that was allotted
	Issued    int64      `json:"issued"`
	First     int64      `json:"first"`
	FirstDate string     `json:"first_date"`
	LastDate  string     `json:"last_date"`
	Misplaced int64      `json:"out_of_order"` // dated before the number before them
	Gaps      [][2]int64 `json:"gaps"`         // first and last number of each
}

// Run reports.
func (c invoiceNumbersCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		var report jobs.NumberReport
		err = a.db.Snapshot(o.ctx, func(q *db.Queries) (err error) {
			report, err = jobs.ReportNumbers(o.ctx, q, tenant.ID)
			return err
		})
		if err != nil {
			return nil, err
		}
		list := make([]listedSeries, len(report.Series))
		for i, s := range report.Series {
			list[i] = listedSeries{
				Series: s.Series, Last: s.Last, Issued: s.Issued, First: s.FirstSeq, FirstDate: s.FirstDate.Format(time.DateOnly), LastDate: s.LastDate.Format(time.DateOnly),
				Misplaced: s.Misplaced, Gaps: [][2]int64{},
			}
			for _, g := range report.Gaps {
				if g.Series == s.Series {
					list[i].Gaps = append(list[i].Gaps, [2]int64{g.FirstSeq, g.LastSeq})
				}
			}
		}
		return map[string]any{
			"tenant": c.Tenant, "proven": report.Proven(), "series": list,
			"archive": map[string]int64{"documents": report.Documents.Documents, "changed": report.Documents.Changed, "unchained": report.Documents.Unchained},
		}, nil
	})
}
