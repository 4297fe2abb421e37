"""specchat and llama.cpp side by side, a part at a time. Benchmarks/run conducts; only the standard library is needed here.

The exception is llama_cpp_worker, which runs in the Python that build-llama-cpp makes.
"""
