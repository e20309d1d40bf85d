"""The one table of messages and field numbers, for versions 5 and 6.

A line is a message, then its fields: number, name, type. `*` repeats, `{}` is a map from strings,
`?` says whether it was set. The two versions differ in the numbers of one message only, `Attribute`.
Facts: tfplugin5 and tfplugin6 of OpenTofu's docs/plugin-protocol, and of terraform-plugin-go.
"""

from __future__ import annotations

from typing import Final

VERSIONS: Final = (5, 6)

SHARED: Final = """
Empty
DynamicValue            1 msgpack bytes, 2 json bytes
Step                    1 attribute_name string?, 2 element_key_string string?, 3 element_key_int int64?
AttributePath           1 steps Step*
Diagnostic              1 severity int32, 2 summary string, 3 detail string, 4 attribute AttributePath
FunctionError           1 text string, 2 function_argument int64?
RawState                1 json bytes, 2 flatmap string{}
IdentityData            1 identity_data DynamicValue
Deferred                1 reason int32
Timestamp               1 seconds int64, 2 nanos int32
ClientCapabilities      1 deferral_allowed bool, 2 write_only_attributes_allowed bool
ServerCapabilities      1 plan_destroy bool, 2 get_provider_schema_optional bool, 3 move_resource_state bool,
                        4 generate_resource_config bool

Schema                  1 version int64, 2 block Block
Block                   1 version int64, 2 attributes Attribute*, 3 block_types NestedBlock*,
                        4 description string,
                        5 description_kind int32, 6 deprecated bool, 7 deprecation_message string
NestedBlock             1 type_name string, 2 block Block, 3 nesting int32, 4 min_items int64,
                        5 max_items int64
Object                  1 attributes Attribute*, 3 nesting int32
Parameter               1 name string, 2 type bytes, 3 allow_null_value bool, 4 allow_unknown_values bool,
                        5 description string, 6 description_kind int32
Return                  1 type bytes
Function                1 parameters Parameter*, 2 variadic_parameter Parameter, 3 return Return,
                        4 summary string,
                        5 description string, 6 description_kind int32, 7 deprecation_message string
IdentityAttribute       1 name string, 2 type bytes, 3 required_for_import bool, 4 optional_for_import bool,
                        5 description string
IdentitySchema          1 version int64, 2 identity_attributes IdentityAttribute*
ActionSchema            1 schema Schema

GetProviderSchema.Response
    1 provider Schema, 2 resource_schemas Schema{}, 3 data_source_schemas Schema{}, 4 diagnostics Diagnostic*,
    5 provider_meta Schema, 6 server_capabilities ServerCapabilities, 7 functions Function{},
    8 ephemeral_resource_schemas Schema{}, 9 list_resource_schemas Schema{}, 11 action_schemas ActionSchema{}
GetResourceIdentitySchemas.Response
    1 identity_schemas IdentitySchema{}, 2 diagnostics Diagnostic*
ValidateProviderConfig.Request
    1 config DynamicValue
ValidateProviderConfig.Response
    1 prepared_config DynamicValue, 2 diagnostics Diagnostic*
ConfigureProvider.Request
    1 terraform_version string, 2 config DynamicValue, 3 client_capabilities ClientCapabilities
Diagnosed
    1 diagnostics Diagnostic*
ValidateConfig.Request
    1 type_name string, 2 config DynamicValue, 3 client_capabilities ClientCapabilities
UpgradeResourceState.Request
    1 type_name string, 2 version int64, 3 raw_state RawState
UpgradeResourceState.Response
    1 upgraded_state DynamicValue, 2 diagnostics Diagnostic*
UpgradeResourceIdentity.Request
    1 type_name string, 2 version int64, 3 raw_identity RawState
UpgradeResourceIdentity.Response
    1 upgraded_identity IdentityData, 2 diagnostics Diagnostic*
ReadResource.Request
    1 type_name string, 2 current_state DynamicValue, 3 private bytes, 4 provider_meta DynamicValue,
    5 client_capabilities ClientCapabilities, 6 current_identity IdentityData
ReadResource.Response
    1 new_state DynamicValue, 2 diagnostics Diagnostic*, 3 private bytes, 4 deferred Deferred,
    5 new_identity IdentityData
PlanResourceChange.Request
    1 type_name string, 2 prior_state DynamicValue, 3 proposed_new_state DynamicValue, 4 config DynamicValue,
    5 prior_private bytes, 6 provider_meta DynamicValue, 7 client_capabilities ClientCapabilities,
    8 prior_identity IdentityData
PlanResourceChange.Response
    1 planned_state DynamicValue, 2 requires_replace AttributePath*, 3 planned_private bytes,
    4 diagnostics Diagnostic*, 5 legacy_type_system bool, 6 deferred Deferred, 7 planned_identity IdentityData
ApplyResourceChange.Request
    1 type_name string, 2 prior_state DynamicValue, 3 planned_state DynamicValue, 4 config DynamicValue,
    5 planned_private bytes, 6 provider_meta DynamicValue, 7 planned_identity IdentityData
ApplyResourceChange.Response
    1 new_state DynamicValue, 2 private bytes, 3 diagnostics Diagnostic*, 4 legacy_type_system bool,
    5 new_identity IdentityData
ImportedResource
    1 type_name string, 2 state DynamicValue, 3 private bytes, 4 identity IdentityData
ImportResourceState.Request
    1 type_name string, 2 id string, 3 client_capabilities ClientCapabilities, 4 identity IdentityData
ImportResourceState.Response
    1 imported_resources ImportedResource*, 2 diagnostics Diagnostic*, 3 deferred Deferred
MoveResourceState.Request
    1 source_provider_address string, 2 source_type_name string, 3 source_schema_version int64,
    4 source_state RawState, 5 target_type_name string, 6 source_private bytes, 7 source_identity RawState,
    8 source_identity_schema_version int64
MoveResourceState.Response
    1 target_state DynamicValue, 2 diagnostics Diagnostic*, 3 target_private bytes,
    4 target_identity IdentityData
ReadDataSource.Request
    1 type_name string, 2 config DynamicValue, 3 provider_meta DynamicValue,
    4 client_capabilities ClientCapabilities
ReadDataSource.Response
    1 state DynamicValue, 2 diagnostics Diagnostic*, 3 deferred Deferred
OpenEphemeralResource.Response
    1 diagnostics Diagnostic*, 2 renew_at Timestamp, 3 result DynamicValue, 4 private bytes,
    5 deferred Deferred
EphemeralResource.Request
    1 type_name string, 2 private bytes
RenewEphemeralResource.Response
    1 diagnostics Diagnostic*, 2 renew_at Timestamp, 3 private bytes
GetFunctions.Response
    1 functions Function{}, 2 diagnostics Diagnostic*
CallFunction.Request
    1 name string, 2 arguments DynamicValue*
CallFunction.Response
    1 result DynamicValue, 2 error FunctionError
ValidateListConfig.Request
    1 type_name string, 2 config DynamicValue
ListResource.Request
    1 type_name string, 2 config DynamicValue, 3 include_resource_object bool, 4 limit int64
ListResource.Event
    1 identity IdentityData, 2 display_name string, 3 resource_object DynamicValue, 4 diagnostic Diagnostic*
Stop.Response
    1 Error string
"""

ATTRIBUTE: Final = {
    5: """
Attribute               1 name string, 2 type bytes, 3 description string, 4 required bool, 5 optional bool,
                        6 computed bool, 7 sensitive bool, 8 description_kind int32, 9 deprecated bool,
                        10 write_only bool, 11 deprecation_message string
""",
    6: """
Attribute               1 name string, 2 type bytes, 3 description string, 4 required bool, 5 optional bool,
                        6 computed bool, 7 sensitive bool, 8 description_kind int32, 9 deprecated bool,
                        10 nested_type Object, 11 write_only bool, 12 deprecation_message string
""",
}
