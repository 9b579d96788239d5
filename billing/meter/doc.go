// Package meter judges signed meter data: the records with which a calibrated meter proves what it has measured, which German
// calibration law (MessEG § 33) gives the customer a right to see and to check.
//
// It reads OCMF, ALFEN, EDL40 (three ways of writing it), ISA-EDL40 and PCDF, verifies their ECDSA signatures, and says whether
// the records of a session prove its energy. A record that is good by itself proves nothing alone: only a key that was
// registered for the charge point beforehand does, and begin and end must belong together.
//
// It is pure: no I/O, no clock, no randomness. Everything that it reads comes from outside and is bounded first.
package meter
