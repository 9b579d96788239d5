package server

import (
	"context"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// postCommandResult takes what a charge point made of a command (CMD-12), from the connection that the command went over: a
// CPO behind a hub has no other (RTG-22). Some partners send the CommandResponse of OCPI 2.1.1, which reads the same (CMD-20).
func (c *call) postCommandResult(ctx context.Context) (answer, error) {
	kind := ocpi.CommandType(c.segment("command"))
	id, err := c.commandID()
	if err != nil || !kind.Known() {
		return answer{}, unknownCommand(c.segment("id"))
	}
	var result ocpi.CommandResult
	if err := c.read(&result); err != nil {
		return answer{}, err
	}
	return answer{}, c.ops.TakeResult(ctx, jobs.Result{
		Kind: kind, ID: id, Result: string(result.Result), Message: result.Message, Partner: c.partner.ID, Tenants: c.addressed(),
	})
}

// commandID is the command that a response URL names.
func (c *call) commandID() (uuid.UUID, error) { return uuid.Parse(string(c.segment("id"))) }

func unknownCommand(id ocpi.CiString) error {
	return ocpi.NotFound(ocpi.StatusInvalidParameters, "command "+string(id)+" is not known")
}
