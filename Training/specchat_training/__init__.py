"""Draws scenes, trains specchat's demo models on them and writes the files that the program reads."""
