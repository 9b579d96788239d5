package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// answer is a success.
type answer struct {
	status int // HTTP; 0 means 200
	data   any // nil: none
	ring   ring
}

// ring is the work that an answered call has made due.
type ring struct {
	kind jobs.Kind
	ids  []uuid.UUID
}

// ringTime bounds how long a bell that does not work holds a connection. The sweeper rings for what it loses.
const ringTime = time.Second

// stored is the answer to an object that was taken: 201 when it is new (OWN-12).
func stored(created bool) answer {
	if created {
		return answer{status: http.StatusCreated}
	}
	return answer{}
}

// send writes a success, and rings once the partner has it.
func (c *call) send(a answer) error {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	data, err := c.speak(a.data)
	if err != nil {
		return err
	}
	if err := c.write(c.echo, a.status, ocpi.Response[any]{Data: data, StatusCode: ocpi.StatusSuccess}); err != nil {
		return err
	}
	if a.ring.ids == nil {
		return nil
	}
	_ = http.NewResponseController(c.echo.Response()).Flush() // else the partner has to wait for the bell
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.echo.Request().Context()), ringTime)
	defer cancel()
	c.Bell.Ring(ctx, a.ring.kind, a.ring.ids...)
	return nil
}

// speak puts the data of an answer into the version of the call.
func (c *call) speak(data any) (any, error) {
	if data == nil {
		return nil, nil
	}
	document, err := ocpi.Marshal(data)
	if err != nil {
		return nil, err
	}
	message, err := c.dialect.Write(document, data)
	return jsontext.Value(message), err
}

// write writes an envelope (TRN-13). A partner that hangs up does not make an error.
func (s *server) write(c echo.Context, status int, r ocpi.Response[any]) error {
	r.Timestamp = s.Now()
	r.StatusMessage = strings.ToValidUTF8(r.StatusMessage, "�") // it may quote the partner
	body, err := ocpi.Marshal(r)
	if err != nil {
		return err
	}
	if call, ok := c.Get(callKey).(*call); ok {
		call.trace.end(status, r, body)
		call.log()
	}
	c.Response().Header().Set(echo.HeaderContentLength, strconv.Itoa(len(body)))
	_ = c.Blob(status, "application/json", body)
	return nil
}

// fail answers every error, and is the only place that logs one. A fault of ours is HTTP 200 with code 3000: OCPI keeps
// HTTP errors for what is below its own layer (OCPI 2.2.1 § Status codes). A message that is refused is kept first; when that
// fails the partner is told to try again instead of why.
func (s *server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	call, entered := c.Get(callKey).(*call)
	if entered {
		err = call.dialect.Explain(err, call.object)
	}
	refused := refusal(err)
	if entered {
		answered := *refused
		answered.StatusCode = call.dialect.Status(refused.StatusCode)
		refused = &answered
		if lost := call.quarantine(refused); lost != nil {
			err = errors.Join(lost, err)
			refused = ocpi.Refused(ocpi.StatusServerError, "the platform failed to process the message")
		}
		call.trace.rejects = refused.Findings
	}
	attributes := []any{
		"method", c.Request().Method, "path", c.Request().URL.Path, "http", refused.HTTPStatus, "code", int(refused.StatusCode),
		"request_id", c.Request().Header.Get(ocpi.HeaderRequestID), "message", refused.Message, "from", c.RealIP(),
	}
	if entered {
		attributes = append(attributes, "partner", call.partner.Name)
	}
	if refused.StatusCode == ocpi.StatusServerError {
		s.Log.ErrorContext(c.Request().Context(), "OCPI call failed", append(attributes, "error", err)...)
	} else {
		s.Log.InfoContext(c.Request().Context(), "OCPI call refused", attributes...)
	}
	if allow, ok := c.Get(echo.ContextKeyHeaderAllow).(string); ok && refused.HTTPStatus == http.StatusMethodNotAllowed {
		c.Response().Header().Set(echo.HeaderAllow, allow)
	}
	_ = s.write(c, refused.HTTPStatus, ocpi.Response[any]{StatusCode: refused.StatusCode, StatusMessage: refused.Message})
}

// refusal says how an error is answered.
func refusal(err error) *ocpi.Error {
	var refused *ocpi.Error
	var router *echo.HTTPError
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.Is(err, db.ErrNotFound):
		return ocpi.NotFound(ocpi.StatusInvalidParameters, "not found")
	case db.IsUnstorable(err):
		return ocpi.InvalidParameter("", "must contain only values that can be stored", "")
	case errors.As(err, &router) && router.Code == http.StatusMethodNotAllowed:
		return ocpi.MethodNotAllowed("this interface does not have this method")
	case errors.As(err, &router) && router.Code == http.StatusNotFound:
		return ocpi.NotFound(ocpi.StatusInvalidParameters, "there is nothing at this URL")
	}
	return ocpi.Refused(ocpi.StatusServerError, "the platform failed to process the message")
}
