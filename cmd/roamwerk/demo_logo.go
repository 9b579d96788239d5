package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
)

const (
	logoSize   = 256
	logoDetail = 4 // samples along each side of a pixel, for smooth edges
)

// drawLogo paints a round badge in the colour and, in white, the shape: a
// function that says whether a point is inside, in coordinates from -1 to 1
// with the origin in the middle and y upwards.
func drawLogo(badge color.NRGBA, shape func(x, y float64) bool) ([]byte, error) {
	logo := image.NewNRGBA(image.Rect(0, 0, logoSize, logoSize))
	for row := range logoSize {
		for column := range logoSize {
			var inBadge, inShape int
			for sample := range logoDetail * logoDetail {
				x := place(column, sample%logoDetail)
				y := -place(row, sample/logoDetail)
				if math.Hypot(x, y) > 0.98 {
					continue
				}
				inBadge++
				if shape(x, y) {
					inShape++
				}
			}
			if inBadge == 0 {
				continue
			}
			mix := func(c uint8) uint8 { return uint8((int(c)*(inBadge-inShape) + 255*inShape) / inBadge) }
			logo.SetNRGBA(column, row, color.NRGBA{mix(badge.R), mix(badge.G), mix(badge.B), uint8(255 * inBadge / (logoDetail * logoDetail))})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, logo); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// place is where a sample of a pixel lies between -1 and 1.
func place(pixel, sample int) float64 {
	return (float64(pixel)+(float64(sample)+0.5)/logoDetail)/(logoSize/2) - 1
}

// sunOverMeadow is a sun with a wavy ground below it.
func sunOverMeadow(x, y float64) bool {
	ground := y < -0.3+0.09*math.Sin(x*6) && y > -0.62+0.09*math.Sin(x*6)
	distance, angle := math.Hypot(x, y-0.18), math.Atan2(y-0.18, x)
	ray := distance > 0.42 && distance < 0.62 && math.Cos(angle*10) > 0.55 && y > 0
	return ground && math.Abs(x) < 0.75 || distance < 0.33 && y > -0.12 || ray
}

// boltInDrop is a drop of water with a bolt of lightning in it.
func boltInDrop(x, y float64) bool {
	drop := math.Hypot(x, y+0.18) < 0.5
	if y > 0 {
		drop = math.Abs(x) < 0.47*math.Pow(1-y/0.82, 1.3) && y < 0.82 || drop
	}
	upper := y >= -0.1 && y < 0.34 && x > -0.02-(0.34-y)*0.52 && x < 0.2-(0.34-y)*0.42
	lower := y < -0.02 && y > -0.5 && x > -0.16+(-0.02-y)*0.28 && x < 0.26-(-0.02-y)*0.62
	return drop && !upper && !lower
}
