package pdf

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image/color"
	"image/png"
	"strconv"
	"sync"

	base "github.com/boxesandglue/baseline-pdf"
)

// picture is a decoded image: three bytes a pixel, and one of opacity.
type picture struct {
	width, height int
	rgb, alpha    []byte
}

// pictures keeps the logos that were decoded, by their hash. There is one for each utility.
var pictures sync.Map

// maxPixels is far more than paper can show of a logo; it bounds the memory that a small file can ask for.
const maxPixels = 4_000_000

// decode reads a PNG.
func decode(data []byte) (*picture, error) {
	key := sha256.Sum256(data)
	if p, ok := pictures.Load(key); ok {
		return p.(*picture), nil
	}
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("logo: %w", err)
	}
	if config.Width*config.Height > maxPixels {
		return nil, fmt.Errorf("logo: %d × %d pixels are too many", config.Width, config.Height)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("logo: %w", err)
	}
	p := &picture{width: config.Width, height: config.Height}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			p.rgb, p.alpha = append(p.rgb, c.R, c.G, c.B), append(p.alpha, c.A)
		}
	}
	pictures.Store(key, p)
	return p, nil
}

// embed writes the picture as an image XObject with a soft mask.
func (p *picture) embed(w *base.PDF) (*base.Object, error) {
	dict := func(space string) base.Dict {
		return base.Dict{
			"Type":             "/XObject",
			"Subtype":          "/Image",
			"Width":            strconv.Itoa(p.width),
			"Height":           strconv.Itoa(p.height),
			"BitsPerComponent": "8",
			"ColorSpace":       space,
		}
	}
	mask, err := stream(w, p.alpha, dict("/DeviceGray"))
	if err != nil {
		return nil, err
	}
	obj := w.NewObject().Dict(dict("/DeviceRGB"))
	obj.Dictionary["SMask"] = mask
	obj.Data.Write(p.rgb)
	obj.SetCompression(9)
	err = obj.Save()
	return obj, err
}
