package ocpi

import "embed"

//go:embed testdata/*/full.json testdata/*/minimal.json
var examples embed.FS

// Example returns an object of OCPI 2.2.1 that breaks no rule, as JSON, with
// as many of its fields as there are; nil when there is none. The kind is the
// name of the type in small letters: cdr, session, locationreferences.
func Example(kind string) []byte {
	for _, name := range []string{"full", "minimal"} {
		if content, err := examples.ReadFile("testdata/" + kind + "/" + name + ".json"); err == nil {
			return content
		}
	}
	return nil
}
