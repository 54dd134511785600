"""`python -m aidmesh_cli` is `aidmesh`."""

from aidmesh_cli.main import main

main()
