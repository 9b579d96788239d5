package server

import (
	"context"

	"github.com/roamwerk/roamwerk/ocpi"
)

func (c *call) versions(context.Context) (answer, error) {
	return answer{data: []ocpi.Version{{Version: ocpi.Version221, URL: c.BaseURL + detailsPath}}}, nil
}

func (c *call) versionDetails(context.Context) (answer, error) {
	details := &ocpi.VersionDetails{Version: ocpi.Version221}
	for _, m := range modules {
		details.Endpoints = append(details.Endpoints, ocpi.Endpoint{Identifier: m.id, Role: m.role, URL: c.BaseURL + m.path()})
	}
	return answer{data: details}, nil
}
