def pytest_addoption(parser):
    parser.addoption("--rewrite", action="store_true", help="write the traces of the scenarios anew")
