package server

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/roamwerk/roamwerk/ocpi"
)

// maxBody bounds a message in bytes, as it is sent and unpacked (TRN-31).
const maxBody = 1 << 20

// body reads the message. In modules with objects its times are looked at: they are read in whatever form they come.
func (c *call) body() ([]byte, error) {
	c.trace.read = true
	body, err := c.unpack()
	if err != nil {
		return nil, err
	}
	c.trace.message = body
	if c.module == ocpi.ModuleCredentials {
		return body, nil
	}
	return body, c.tolerate(ocpi.TimeQuirks(body)...)
}

func (c *call) unpack() ([]byte, error) {
	r := c.echo.Request()
	var reader io.Reader = http.MaxBytesReader(c.echo.Response(), r.Body, maxBody)
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		unpacked, err := gzip.NewReader(reader)
		if err != nil {
			return nil, unreadable(err)
		}
		reader = unpacked
	default:
		return nil, &ocpi.Error{HTTPStatus: http.StatusUnsupportedMediaType, StatusCode: ocpi.StatusClientError, Message: "the Content-Encoding must be gzip or none"}
	}
	body, err := io.ReadAll(io.LimitReader(reader, maxBody+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if len(body) > maxBody {
		return nil, tooLarge()
	}
	return body, nil
}

func unreadable(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge()
	}
	return &ocpi.Error{HTTPStatus: http.StatusBadRequest, StatusCode: ocpi.StatusInvalidParameters, Message: "the body cannot be read", Err: err}
}

func tooLarge() error {
	return &ocpi.Error{
		HTTPStatus: http.StatusRequestEntityTooLarge, StatusCode: ocpi.StatusClientError,
		Message: "the body is larger than " + strconv.Itoa(maxBody) + " bytes",
	}
}

// document returns a message in the words of OCPI 2.2.1; v has, or points to, the type of its object.
func (c *call) document(message []byte, v any) ([]byte, error) {
	c.object = v
	document, notes, err := c.dialect.Read(message, v, c.origin())
	if err != nil {
		return nil, err
	}
	return document, c.tolerate(notes...)
}

// patch reads the body of a PATCH in the words of OCPI 2.2.1; v has, or points to, the type of the object.
func (c *call) patch(v any) ([]byte, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	c.object = v
	patch, notes, err := c.dialect.ReadPatch(body, v, c.origin())
	if err != nil {
		return nil, err
	}
	return patch, c.tolerate(notes...)
}

// decode reads a document: exactly, or, when that fails, as leniently as some partners need it. It is an ocpi.Decoder.
func (c *call) decode(body []byte, v any) error {
	notes, err := ocpi.UnmarshalTolerant(body, v, c.partner.RefusedQuirks)
	if err != nil {
		return err
	}
	return c.tolerate(c.dialect.ExplainFindings(notes, v)...)
}

// message is an object that partners send.
type message interface{ Validate() ocpi.Findings }

// accept checks an object. What is wrong but tolerable is noted.
func (c *call) accept(m message) error {
	findings := m.Validate().Refuse(c.partner.RefusedQuirks)
	if err := findings.Err(); err != nil {
		return err
	}
	return c.tolerate(c.dialect.ExplainFindings(findings.Notes(), m)...)
}

// read reads and checks the object in the body.
func (c *call) read(m message) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if body, err = c.document(body, m); err != nil {
		return err
	}
	if err := c.decode(body, m); err != nil {
		return err
	}
	if err := c.fill(m); err != nil {
		return err
	}
	return c.accept(m)
}
