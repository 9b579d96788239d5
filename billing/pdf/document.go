package pdf

import (
	"bytes"
	"crypto/md5" // the format asks for it as a checksum (PDF 32000-1 table 46)
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	base "github.com/boxesandglue/baseline-pdf"
)

// document collects pages and their structure and writes them as PDF/A-3a and PDF/UA-1.
type document struct {
	w     *base.PDF
	fonts fonts
	root  *element
	pages []*sheet
	image *base.Object // the logo, nil if there is none
}

// meta is what a document says about itself.
type meta struct {
	title    string
	author   string
	language string // "de-DE"
	date     time.Time
	xml      []byte // attached e-invoice, nil for a preview
	xmlNote  string // what the attachment is, in words
}

const producer = "Roamwerk"

func newDocument(out io.Writer) (*document, error) {
	both, err := faces()
	if err != nil {
		return nil, err
	}
	w := base.NewPDFWriter(out)
	w.DefaultPageWidth, w.DefaultPageHeight = pageWidth, pageHeight
	return &document{
		w:     w,
		fonts: fonts{newFont(w, both[0], "F1"), newFont(w, both[1], "F2")},
		root:  &element{tag: "Document"},
	}, nil
}

func (d *document) newPage() *sheet {
	s := &sheet{number: d.w.NextObject()}
	d.pages = append(d.pages, s)
	return s
}

// finish writes everything.
func (d *document) finish(m meta) error {
	resources := base.Dict{"Font": base.Dict{"F1": d.fonts.regular.obj.ObjectNumber, "F2": d.fonts.bold.obj.ObjectNumber}}
	if d.image != nil {
		resources["XObject"] = base.Dict{"Logo": d.image.ObjectNumber}
	}
	for i, s := range d.pages {
		content := d.w.NewObject()
		content.Data = &s.buf
		content.SetCompression(9)
		page := d.w.AddPage(content, s.number)
		page.Dict = base.Dict{"StructParents": i, "Tabs": "/S", "Resources": resources}
	}
	for _, f := range []*font{d.fonts.regular, d.fonts.bold} {
		if err := f.save(d.w); err != nil {
			return err
		}
	}
	tree, err := d.structure()
	if err != nil {
		return err
	}
	xmp := d.w.NewObject()
	xmp.Data.WriteString(m.xmp())
	if err := xmp.Dict(base.Dict{"Type": "/Metadata", "Subtype": "/XML"}).Save(); err != nil {
		return err
	}
	profile, err := stream(d.w, srgb(), base.Dict{"N": "3"})
	if err != nil {
		return err
	}
	d.w.Catalog = base.Dict{
		"Lang":              base.String(m.language),
		"MarkInfo":          "<</Marked true>>",
		"ViewerPreferences": "<</DisplayDocTitle true>>",
		"StructTreeRoot":    tree,
		"Metadata":          xmp.ObjectNumber,
		"OutputIntents":     "[<</Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) /Info (sRGB IEC61966-2.1) /DestOutputProfile " + profile.Ref() + ">>]",
	}
	date := m.date.Format("(D:20060102150405Z)")
	d.w.InfoDict = base.Dict{
		"Title":        base.String(m.title),
		"Author":       base.String(m.author),
		"Producer":     base.String(producer),
		"Creator":      base.String(producer),
		"CreationDate": date,
		"ModDate":      date,
	}
	if m.xml != nil {
		if err := d.attach(m, date); err != nil {
			return err
		}
	}
	return d.w.Finish()
}

// structure writes the structure tree with its parent tree and returns its number.
func (d *document) structure() (base.Objectnumber, error) {
	tree := d.w.NewObject()
	var number func(e *element)
	number = func(e *element) {
		e.obj = d.w.NextObject()
		for _, k := range e.kids {
			number(k)
		}
	}
	number(d.root)
	var save func(e *element) error
	save = func(e *element) error {
		dict := base.Dict{"Type": "/StructElem", "S": base.Name(e.tag), "P": tree.ObjectNumber}
		if e.parent != nil {
			dict["P"] = e.parent.obj
		}
		for k, v := range e.attrs {
			dict[k] = v
		}
		if e.page != nil {
			dict["Pg"], dict["K"] = e.page.number, e.mcid
		} else {
			dict["K"] = references(e.kids)
		}
		if err := d.w.NewObjectWithNumber(e.obj).Dict(dict).Save(); err != nil {
			return err
		}
		for _, k := range e.kids {
			if err := save(k); err != nil {
				return err
			}
		}
		return nil
	}
	if err := save(d.root); err != nil {
		return 0, err
	}
	var parents strings.Builder
	for i, s := range d.pages {
		fmt.Fprintf(&parents, "%d %s ", i, references(s.marked))
	}
	err := tree.Dict(base.Dict{
		"Type":              "/StructTreeRoot",
		"K":                 d.root.obj,
		"ParentTree":        "<</Nums [" + parents.String() + "]>>",
		"ParentTreeNextKey": len(d.pages),
	}).Save()
	return tree.ObjectNumber, err
}

func references(elements []*element) string {
	refs := make([]string, len(elements))
	for i, e := range elements {
		refs[i] = e.obj.Ref()
	}
	return "[" + strings.Join(refs, " ") + "]"
}

// attachmentName is fixed by ZUGFeRD 2 and Factur-X.
const attachmentName = "factur-x.xml"

// attach embeds the e-invoice as an alternative representation of the whole document (PDF/A-3 §6.8, Factur-X §6.2).
func (d *document) attach(m meta, date string) error {
	file, err := stream(d.w, m.xml, base.Dict{
		"Type":    "/EmbeddedFile",
		"Subtype": "/text#2Fxml",
		"Params":  fmt.Sprintf("<</ModDate %s /Size %d /CheckSum <%x>>>", date, len(m.xml), md5.Sum(m.xml)),
	})
	if err != nil {
		return err
	}
	spec := d.w.NewObject().Dict(base.Dict{
		"Type":           "/Filespec",
		"F":              "(" + attachmentName + ")",
		"UF":             "(" + attachmentName + ")",
		"Desc":           base.String(m.xmlNote),
		"AFRelationship": "/Alternative",
		"EF":             "<</F " + file.Ref() + " /UF " + file.Ref() + ">>",
	})
	if err := spec.Save(); err != nil {
		return err
	}
	d.w.Catalog["AF"] = "[" + spec.ObjectNumber.Ref() + "]"
	d.w.GetCatalogNameTreeDict("EmbeddedFiles")["Names"] = "[(" + attachmentName + ") " + spec.ObjectNumber.Ref() + "]"
	return nil
}

// stream writes data as a compressed stream.
func stream(w *base.PDF, data []byte, dict base.Dict) (base.Objectnumber, error) {
	obj := w.NewObject().Dict(dict)
	obj.Data.Write(data)
	obj.SetCompression(9)
	return obj.ObjectNumber, obj.Save()
}

// xmp is the metadata packet. It declares both standards, and Factur-X with the schema that PDF/A demands for it.
func (m meta) xmp() string {
	date := m.date.Format("2006-01-02T15:04:05Z")
	var b strings.Builder
	b.WriteString("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` + "\n")
	describe := func(prefix, namespace, content string) {
		b.WriteString(`<rdf:Description rdf:about="" xmlns:` + prefix + `="` + namespace + `">` + content + "</rdf:Description>\n")
	}
	describe("pdfaid", "http://www.aiim.org/pdfa/ns/id/", "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>")
	describe("pdfuaid", "http://www.aiim.org/pdfua/ns/id/", "<pdfuaid:part>1</pdfuaid:part>")
	describe("dc", "http://purl.org/dc/elements/1.1/", "<dc:format>application/pdf</dc:format>"+
		`<dc:title><rdf:Alt><rdf:li xml:lang="x-default">`+escape(m.title)+"</rdf:li></rdf:Alt></dc:title>"+
		"<dc:creator><rdf:Seq><rdf:li>"+escape(m.author)+"</rdf:li></rdf:Seq></dc:creator>"+
		"<dc:language><rdf:Bag><rdf:li>"+m.language+"</rdf:li></rdf:Bag></dc:language>")
	describe("pdf", "http://ns.adobe.com/pdf/1.3/", "<pdf:Producer>"+producer+"</pdf:Producer>")
	describe("xmp", "http://ns.adobe.com/xap/1.0/", "<xmp:CreatorTool>"+producer+"</xmp:CreatorTool><xmp:CreateDate>"+date+"</xmp:CreateDate><xmp:ModifyDate>"+date+"</xmp:ModifyDate>")
	b.WriteString(`<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag>` + "\n")
	for _, s := range extensions {
		if s.prefix == "fx" && m.xml == nil {
			continue
		}
		b.WriteString(`<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>` + s.name + "</pdfaSchema:schema><pdfaSchema:namespaceURI>" + s.namespace + "</pdfaSchema:namespaceURI><pdfaSchema:prefix>" + s.prefix + "</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>")
		for _, p := range s.properties {
			b.WriteString(`<rdf:li rdf:parseType="Resource"><pdfaProperty:name>` + p.name + "</pdfaProperty:name><pdfaProperty:valueType>" + p.kind + "</pdfaProperty:valueType><pdfaProperty:category>" + s.category + "</pdfaProperty:category><pdfaProperty:description>" + p.text + "</pdfaProperty:description></rdf:li>")
		}
		b.WriteString("</rdf:Seq></pdfaSchema:property></rdf:li>\n")
	}
	b.WriteString("</rdf:Bag></pdfaExtension:schemas></rdf:Description>\n")
	if m.xml != nil {
		describe("fx", facturX, "<fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>"+attachmentName+"</fx:DocumentFileName><fx:Version>1.0</fx:Version><fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>")
	}
	b.WriteString("</rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>\n")
	return b.String()
}

const facturX = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"

type property struct{ name, kind, text string }

// extensions are the metadata schemas that PDF/A does not know and wants described (ISO 19005-3 §6.6.2.3).
var extensions = []struct {
	name, namespace, prefix, category string
	properties                        []property
}{
	{"PDF/UA identification schema", "http://www.aiim.org/pdfua/ns/id/", "pdfuaid", "internal", []property{
		{"part", "Integer", "Part of ISO 14289"},
	}},
	{"Factur-X PDFA Extension Schema", facturX, "fx", "external", []property{
		{"DocumentFileName", "Text", "Name of the embedded XML invoice"},
		{"DocumentType", "Text", "INVOICE"},
		{"Version", "Text", "Version of the Factur-X XML schema"},
		{"ConformanceLevel", "Text", "Profile of the embedded XML invoice"},
	}},
}

func escape(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}
