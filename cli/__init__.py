"""What a person types: `spinelabel up · label · status · cancel · download`."""
