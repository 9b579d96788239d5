// Package billing is the arithmetic of the platform: it prices charge detail records, checks what a CPO claims, applies
// retail tariffs, decides the VAT and composes invoices.
//
// It is pure: no I/O, no clock, no randomness, no floating point. Quantities are kWh and hours, money is a
// decimal.Decimal in the currency that stands beside it, instants are UTC unless a name says otherwise.
package billing
