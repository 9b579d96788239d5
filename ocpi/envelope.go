package ocpi

import "time"

// Response is the envelope of every answer (OCPI 2.2.1 § Response format).
// Data is left out when it is the zero value of T, so an empty list has to be
// given as T{} rather than nil. When StatusCode is not a success, Data means
// nothing: a client decodes Response[jsontext.Value] first (TRN-15).
type Response[T any] struct {
	Data          T          `json:"data,omitzero"`
	StatusCode    StatusCode `json:"status_code"` // 0 when the sender gave none
	StatusMessage string     `json:"status_message,omitzero"`
	Timestamp     time.Time  `json:"timestamp"`
}
