package pdf

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"

	base "github.com/boxesandglue/baseline-pdf"
	"github.com/boxesandglue/textshape/ot"
	"github.com/boxesandglue/textshape/subset"
)

//go:embed font/Inter-Regular.ttf font/Inter-SemiBold.ttf
var fontFiles embed.FS

// face is a font that has been read. It is shared by all documents and does not change.
type face struct {
	ot     *ot.Face
	glyphs map[rune]glyph
}

// glyph is a letter of a face; width is in thousandths of the font size.
type glyph struct {
	id    ot.GlyphID
	width float64
}

// faces are the regular and the semi-bold face, read on first use.
var faces = sync.OnceValues(func() ([2]*face, error) {
	var both [2]*face
	for i, name := range []string{"font/Inter-Regular.ttf", "font/Inter-SemiBold.ttf"} {
		f, err := readFace(name)
		if err != nil {
			return both, fmt.Errorf("%s: %w", name, err)
		}
		both[i] = f
	}
	return both, nil
})

func readFace(name string) (*face, error) {
	data, err := fontFiles.ReadFile(name)
	if err != nil {
		return nil, err
	}
	parsed, err := ot.ParseFont(data, 0)
	if err != nil {
		return nil, err
	}
	f := &face{glyphs: map[rune]glyph{}}
	if f.ot, err = ot.NewFace(parsed); err != nil {
		return nil, err
	}
	for r := rune(' '); r <= 0xFFFF; r++ {
		if id, ok := f.ot.Cmap().Lookup(ot.Codepoint(r)); ok && id != 0 {
			f.glyphs[r] = glyph{id, float64(f.ot.HorizontalAdvance(id)) * 1000 / float64(f.ot.Upem())}
		}
	}
	return f, nil
}

// glyph returns the glyph of r, or a question mark: PDF/UA forbids to show what the font lacks.
func (f *face) glyph(r rune) (glyph, rune) {
	if g, ok := f.glyphs[r]; ok {
		return g, r
	}
	return f.glyphs['?'], '?'
}

// width is the width of text in points.
func (f *face) width(size float64, text string) float64 {
	w := 0.0
	for _, r := range text {
		g, _ := f.glyph(r)
		w += g.width
	}
	return w * size / 1000
}

// wrap breaks text into lines of at most width points, between words, or within a word that is too long by itself.
func (f *face) wrap(size, width float64, text string) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range strings.FieldsFunc(paragraph, breakable) {
			if line != "" && f.width(size, line+" "+word) <= width {
				line += " " + word
				continue
			}
			if line != "" {
				lines = append(lines, line)
			}
			line = word
			for fits := f.fits(size, width, line); fits < len(line); fits = f.fits(size, width, line) {
				lines, line = append(lines, line[:fits]), line[fits:]
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// breakable tells where a line may end: at a blank, but not at one that keeps words together.
func breakable(r rune) bool { return r == ' ' || r == '\t' || r == '\r' }

// fits is the number of leading bytes of word that fit into width, at least one letter.
func (f *face) fits(size, width float64, word string) int {
	w := 0.0
	for i, r := range word {
		g, _ := f.glyph(r)
		if w += g.width * size / 1000; w > width && i > 0 {
			return i
		}
	}
	return len(word)
}

// font is a face in one document: it knows which letters the document uses.
type font struct {
	*face
	name string // of the resource: "F1"
	obj  *base.Object
	used map[ot.GlyphID]rune
}

func newFont(w *base.PDF, f *face, name string) *font {
	return &font{face: f, name: name, obj: w.NewObject(), used: map[ot.GlyphID]rune{}}
}

// show appends the operators that draw text with its baseline starting at x, y (from the lower left corner of the page).
func (f *font) show(b *bytes.Buffer, size, x, y float64, text string) {
	fmt.Fprintf(b, "BT /%s %s Tf 1 0 0 1 %s %s Tm <", f.name, num(size), num(x), num(y))
	for _, r := range text {
		g, shown := f.glyph(r)
		f.used[g.id] = shown
		fmt.Fprintf(b, "%04X", int(g.id))
	}
	b.WriteString("> Tj ET\n")
}

// save writes the font, reduced to the letters that were used, as composite TrueType font (PDF 32000-1 §9.7).
func (f *font) save(w *base.PDF) error {
	ids := make([]ot.GlyphID, 0, len(f.used))
	for id := range f.used {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	in := subset.NewInput()
	in.Flags = subset.FlagDropLayoutTables | subset.FlagRetainGIDs
	in.AddGlyph(0)
	for _, id := range ids {
		in.AddGlyph(id)
	}
	plan, err := subset.CreatePlan(f.ot.Font, in)
	if err != nil {
		return fmt.Errorf("subset %s: %w", f.ot.PostscriptName(), err)
	}
	data, err := plan.Execute()
	if err != nil {
		return fmt.Errorf("subset %s: %w", f.ot.PostscriptName(), err)
	}
	file, err := stream(w, data, base.Dict{"Length1": strconv.Itoa(len(data))})
	if err != nil {
		return err
	}
	unicode := w.NewObject()
	unicode.Data.WriteString(f.toUnicode(ids))
	unicode.SetCompression(9)
	if err := unicode.Save(); err != nil {
		return err
	}
	em := func(v int16) string { return strconv.Itoa(int(v) * 1000 / int(f.ot.Upem())) }
	x0, y0, x1, y1 := f.ot.BBox()
	name := base.Name(subsetTag(ids) + "+" + f.ot.PostscriptName())
	descriptor := w.NewObject().Dict(base.Dict{
		"Type":        "/FontDescriptor",
		"FontName":    name,
		"FontBBox":    "[" + em(x0) + " " + em(y0) + " " + em(x1) + " " + em(y1) + "]",
		"Ascent":      em(f.ot.Ascender()),
		"Descent":     em(f.ot.Descender()),
		"CapHeight":   em(f.ot.CapHeight()),
		"XHeight":     em(f.ot.XHeight()),
		"Flags":       "32", // nonsymbolic
		"ItalicAngle": "0",
		"StemV":       strconv.Itoa(int(f.ot.WeightClass()) / 5),
		"FontFile2":   file,
	})
	if err := descriptor.Save(); err != nil {
		return err
	}
	descendant := w.NewObject().Dict(base.Dict{
		"Type":           "/Font",
		"Subtype":        "/CIDFontType2",
		"BaseFont":       name,
		"CIDSystemInfo":  "<</Registry (Adobe) /Ordering (Identity) /Supplement 0>>",
		"CIDToGIDMap":    "/Identity",
		"FontDescriptor": descriptor.ObjectNumber,
		"W":              f.widths(ids),
	})
	if err := descendant.Save(); err != nil {
		return err
	}
	return f.obj.Dict(base.Dict{
		"Type":            "/Font",
		"Subtype":         "/Type0",
		"BaseFont":        name,
		"Encoding":        "/Identity-H",
		"DescendantFonts": "[" + descendant.ObjectNumber.Ref() + "]",
		"ToUnicode":       unicode.ObjectNumber,
	}).Save()
}

func (f *font) widths(ids []ot.GlyphID) string {
	var b strings.Builder
	b.WriteString("[")
	for _, id := range ids {
		g, _ := f.glyph(f.used[id])
		fmt.Fprintf(&b, "%d[%s]", id, strconv.FormatFloat(g.width, 'f', 3, 64))
	}
	b.WriteString("]")
	return b.String()
}

// toUnicode is the CMap through which the text can be read aloud, searched and copied.
func (f *font) toUnicode(ids []ot.GlyphID) string {
	var b strings.Builder
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n")
	for chunk := range slices.Chunk(ids, 100) { // no more are allowed in one section
		fmt.Fprintf(&b, "%d beginbfchar\n", len(chunk))
		for _, id := range chunk {
			fmt.Fprintf(&b, "<%04X><", int(id))
			for _, u := range utf16.Encode([]rune{f.used[id]}) {
				fmt.Fprintf(&b, "%04X", u)
			}
			b.WriteString(">\n")
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.String()
}

// subsetTag is six letters that differ for different subsets (PDF 32000-1 §9.6.4).
func subsetTag(ids []ot.GlyphID) string {
	h := uint64(14695981039346656037) // FNV-1a
	for _, id := range ids {
		h = (h ^ uint64(id)) * 1099511628211
	}
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + byte(h%26)
		h /= 26
	}
	return string(tag)
}
