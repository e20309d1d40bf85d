// The provider of Docker: minutes of a processor, so it is built where somebody asks for it.

//go:build tools

package built

import _ "github.com/terraform-providers/terraform-provider-docker"
