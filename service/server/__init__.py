"""HTTP: the application, its server, and the only code that knows FastAPI, Starlette and uvicorn."""
