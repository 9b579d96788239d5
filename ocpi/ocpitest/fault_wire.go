package ocpitest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// authorization writes the Authorization header, right or wrong.
func (f WireFaults) authorization(token string) string {
	switch {
	case f.RawToken:
		return "Token " + token
	case f.UnpaddedToken:
		return "Token " + base64.RawStdEncoding.EncodeToString([]byte(token))
	case f.TokenNewline:
		return "Token " + base64.StdEncoding.EncodeToString([]byte(token+"\n"))
	default:
		return "Token " + base64.StdEncoding.EncodeToString([]byte(token))
	}
}

// optionalLists are the lists that a partner with NullLists writes as null in
// the outermost object when it has nothing to put there.
var optionalLists = map[ocpi.ModuleID][]string{
	ocpi.ModuleLocations: {"related_locations", "directions", "facilities", "images", "publish_allowed_to"},
	ocpi.ModuleTariffs:   {"tariff_alt_text"},
	ocpi.ModuleSessions:  {"charging_periods"},
	ocpi.ModuleCDRs:      {"tariffs"},
}

// encode writes a message as this partner writes it: a body, or what an answer
// has for data.
func (p *Peer) encode(module ocpi.ModuleID, v any, inside string) ([]byte, error) {
	message, err := ocpi.Marshal(v)
	if err != nil {
		return nil, err
	}
	if inside == "" {
		message = p.translate(module, message)
	} else if p.version != ocpi.Version221 {
		message = turned(message, func(o object) {
			if data, has := o[inside]; has {
				o[inside] = p.translate(module, data)
			}
		})
	}
	return p.currentFaults().write(module, message)
}

// write distorts a message, if at all.
func (f WireFaults) write(module ocpi.ModuleID, message []byte) ([]byte, error) {
	if !f.TimesWithoutZone && !f.TimesWithOffset && !f.NumbersAsText && !f.NullLists {
		return message, nil
	}
	return f.distort(module, message)
}

// distort rewrites a message token by token.
func (f WireFaults) distort(module ocpi.ModuleID, message []byte) ([]byte, error) {
	var out bytes.Buffer
	decoder, encoder := jsontext.NewDecoder(bytes.NewReader(message)), jsontext.NewEncoder(&out)
	seen := map[string]bool{}
	for {
		token, err := decoder.ReadToken()
		if errors.Is(err, io.EOF) {
			return bytes.TrimSpace(out.Bytes()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("distort a message: %w", err)
		}
		container, index := decoder.StackIndex(decoder.StackDepth())
		isName := container == '{' && index%2 == 1 && token.Kind() == '"'
		if isName && decoder.StackDepth() == 1 {
			seen[token.String()] = true
		}
		if token.Kind() == '}' && decoder.StackDepth() == 0 && f.NullLists {
			if err := writeNullLists(encoder, optionalLists[module], seen); err != nil {
				return nil, err
			}
		}
		if !isName {
			token = f.distortValue(token)
		}
		if err := encoder.WriteToken(token); err != nil {
			return nil, fmt.Errorf("distort a message: %w", err)
		}
	}
}

func writeNullLists(encoder *jsontext.Encoder, names []string, seen map[string]bool) error {
	for _, name := range names {
		if seen[name] {
			continue
		}
		if err := encoder.WriteToken(jsontext.String(name)); err != nil {
			return fmt.Errorf("distort a message: %w", err)
		}
		if err := encoder.WriteToken(jsontext.Null); err != nil {
			return fmt.Errorf("distort a message: %w", err)
		}
	}
	return nil
}

func (f WireFaults) distortValue(token jsontext.Token) jsontext.Token {
	switch token.Kind() {
	case '0':
		if f.NumbersAsText {
			return jsontext.String(token.String())
		}
	case '"':
		text := token.String()
		if t, err := ocpi.ParseDateTime(text); err == nil && strings.HasSuffix(text, "Z") {
			switch {
			case f.TimesWithoutZone:
				return jsontext.String(strings.TrimSuffix(text, "Z"))
			case f.TimesWithOffset:
				return jsontext.String(t.UTC().Format("2006-01-02T15:04:05.000000+00:00"))
			}
		}
	}
	return token
}
