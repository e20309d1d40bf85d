// The providers that the tests build where Go is installed. Nothing of it becomes a part of Dirigent.

//go:build tools

package built

import (
	_ "github.com/terraform-providers/terraform-provider-local"
	_ "github.com/terraform-providers/terraform-provider-postgresql"
)
