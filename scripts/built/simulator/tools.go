// The simulator of a vCenter that the tests put before the provider of vsphere.

//go:build tools

package built

import _ "github.com/vmware/govmomi/vcsim"
