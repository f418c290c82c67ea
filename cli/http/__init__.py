"""A server of Spinelabel as the client sees it: which one, what its answers mean, how long it is waited for."""
