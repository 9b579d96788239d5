// Package corpus makes a set of invoices that exercises every branch of the document formats: the tests of billing/einvoice
// and billing/pdf judge it, and an integrator can have it written to disk. Everybody in it is made up.
package corpus

import (
	"fmt"

	"github.com/roamwerk/roamwerk/billing"
)

// Case is one document of the corpus.
type Case struct {
	Name      string // unique, fit for a file name
	Exercises string
	Invoice   billing.Invoice
}

// recipe makes one case.
type recipe struct {
	name, exercises string
	draft           billing.Draft
	finish          func(billing.Invoice) billing.Invoice // what becomes of the issued invoice; nil: the case is the invoice itself
}

// Cases returns the corpus: the special cases, then the grids. It is the same each time. Its error is a fault of this package.
func Cases() ([]Case, error) {
	var recipes []recipe
	for _, s := range special {
		recipes = append(recipes, recipe{s.name, s.exercises, s.draft(), s.finish})
	}
	for _, grid := range grids {
		recipes = append(recipes, grid()...)
	}
	cases := make([]Case, len(recipes))
	for i, r := range recipes {
		inv, err := r.draft.Invoice()
		if err != nil {
			return nil, fmt.Errorf("corpus case %s: %w", r.name, err)
		}
		inv.Number = fmt.Sprintf("LIN-2026-%06d", i+101)
		if r.finish != nil {
			inv = r.finish(inv)
			inv.Number = fmt.Sprintf("LIN-2026-%06d", i+1001)
		}
		cases[i] = Case{r.name, r.exercises, inv}
	}
	return cases, nil
}
