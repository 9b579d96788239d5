// Package ocpi is the vocabulary of OCPI 2.2.1: its objects as Go types, the
// codec that reads and writes them, their validation, the status codes, the
// response envelope, the headers and the arithmetic of PATCH. It does no I/O,
// knows no clock and imports nothing else of Roamwerk.
//
// The conventions, once for every type in this package:
//
//   - A Go field is the JSON name in camel case. Empty strings, nil pointers,
//     nil lists, zero times and invalid [decimal.NullDecimal] values mean
//     "absent", which OCPI does not distinguish from null (§ Cardinality), and
//     are left out when written.
//   - Numbers are decimals and carry the unit the specification gives them:
//     kWh, hours, kW, ampere, or an amount in the currency of the object that
//     they are part of. Durations that are int are seconds.
//   - Times are UTC.
//   - Enumerations are named strings. A value that this version does not know
//     is kept as received; the Known method of each tells.
//   - Extra keeps the members that the specification does not name, so that
//     an object is given back as it came.
package ocpi
