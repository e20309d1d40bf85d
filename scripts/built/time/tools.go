// A provider of today, on the framework that has come after the kit.

//go:build tools

package built

import _ "github.com/hashicorp/terraform-provider-time"
