package ui

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed text/*.json
var texts embed.FS

// Lang is a language of the portals.
type Lang string

// The languages.
const (
	German  Lang = "de"
	English Lang = "en"
)

// Languages in the order in which they are offered.
var Languages = []Lang{German, English}

var catalogue = map[Lang]map[string]string{German: read(German), English: read(English)}

func read(l Lang) map[string]string {
	content, err := texts.ReadFile("text/" + string(l) + ".json")
	if err == nil {
		var texts map[string]string
		if err = json.Unmarshal(content, &texts); err == nil {
			return texts
		}
	}
	panic("ui: catalogue " + string(l) + ": " + err.Error())
}

// LangOf reads a language tag; what is not a language of ours is German.
func LangOf(tag string) Lang {
	if l := Lang(tag); l.Known() {
		return l
	}
	return German
}

// Known reports whether the portals speak l.
func (l Lang) Known() bool { return l == German || l == English }

// Other is the language that a switch leads to.
func (l Lang) Other() Lang {
	if l == German {
		return English
	}
	return German
}

// FromHeader picks a language by the header Accept-Language: English only for those who do not put German before it.
func FromHeader(accept string) Lang {
	for tag := range strings.SplitSeq(accept, ",") {
		if primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-"); len(primary) >= 2 && Lang(primary[:2]).Known() {
			return Lang(primary[:2])
		}
	}
	return German
}

// T is the text of a key with its arguments put in. A key that does not exist shows itself; a test finds it first.
func (l Lang) T(key string, args ...any) string {
	text, ok := catalogue[l][key]
	if !ok {
		return "[" + key + "]"
	}
	if len(args) > 0 {
		return fmt.Sprintf(text, args...)
	}
	return text
}

// Has reports whether there is a text of the key, for keys that are made of what is stored.
func (l Lang) Has(key string) bool {
	_, ok := catalogue[l][key]
	return ok
}

// N is the text of a number of things: key.one or key.other with the number put in.
func (l Lang) N(key string, n int64) string {
	if n == 1 {
		return l.T(key+".one", l.Int(n))
	}
	return l.T(key+".other", l.Int(n))
}
