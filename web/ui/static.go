package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed static
var static embed.FS

// release identifies the static files of this binary; it is part of their address, so that they can be cached for ever.
var release = releaseOf(static)

func releaseOf(files fs.FS) string {
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		sum.Write([]byte(path))
		sum.Write(content)
		return err
	})
	if err != nil {
		panic("ui: embedded files cannot be read: " + err.Error())
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// StaticPath is where Static has to be mounted.
const StaticPath = "/static/"

// Asset is the address of a static file.
func Asset(name string) string { return StaticPath + release + "/" + name }

// Static serves the static files under StaticPath. The address of an earlier release is answered with 404: a page of an
// earlier release then looks plain until it is loaded again, and never half old and half new.
func Static() http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	root := StaticPath + release + "/"
	server := http.StripPrefix(root, http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ours := strings.CutPrefix(r.URL.Path, root)
		if info, err := fs.Stat(files, name); !ours || err != nil || info.IsDir() {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		server.ServeHTTP(w, r)
	})
}
