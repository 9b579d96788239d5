package ocpitest

import "time"

// Car is an electric car as a charging point sees it. Integers throughout:
// the same visit gives the same watt-hours on every machine.
type Car struct {
	Name    string
	Battery int64 // usable capacity in Wh
	MaxAC   int64 // W
	MaxDC   int64 // W
}

// Cars is what drives on the roads of the simulation.
var Cars = []Car{
	{"city car", 36_000, 7_400, 40_000},
	{"compact", 52_000, 11_000, 125_000},
	{"hatchback", 58_000, 11_000, 120_000},
	{"saloon", 75_000, 11_000, 170_000},
	{"estate", 77_000, 11_000, 175_000},
	{"sports car", 84_000, 22_000, 270_000},
	{"van", 60_000, 11_000, 85_000},
	{"sport utility", 94_000, 22_000, 195_000},
}

// power is what the car draws from the grid in W at a state of charge given
// in thousandths. DC falls from half full on, AC only at the very end.
func (c Car) power(kind Kind, charge int64) int64 {
	if kind.Direct() {
		var share int64 // of MaxDC, in thousandths
		switch {
		case charge < 100:
			share = 700 + 3*charge
		case charge < 500:
			share = 1000
		case charge < 800:
			share = 1000 - 2*(charge-500)
		default:
			share = max(400-8*(charge-800)/5, 60)
		}
		return min(kind.Power(), c.MaxDC*share/1000)
	}
	watts := min(kind.Power(), c.MaxAC)
	if charge >= 960 {
		watts = watts * (1020 - charge) / 60
	}
	return watts
}

// efficiency is the share of the energy that reaches the battery, in
// hundredths.
func efficiency(kind Kind) int64 {
	if kind.Direct() {
		return 95
	}
	return 90
}

// tick is the step of the simulation: exactly 0.01 hours, so that every time
// in a message is exact with the four decimals that OCPI has, and a whole
// number of them makes an hour.
const tick = 36 * time.Second

// battery is a car's battery while it charges.
type battery struct {
	car   Car
	kind  Kind
	level int64 // J
}

func (b *battery) thousandths() int64 { return b.level / (b.car.Battery * 36 / 10) }

// charge draws for one tick and returns the grid's side in W and J.
func (b *battery) charge() (watts, joules int64) {
	watts = b.car.power(b.kind, b.thousandths())
	joules = watts * int64(tick/time.Second)
	b.level += joules * efficiency(b.kind) / 100
	return watts, joules
}
