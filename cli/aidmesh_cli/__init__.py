"""The command `aidmesh`. Talks to nodes over HTTP; of the node's code it knows only `aidmesh_node.main`."""
