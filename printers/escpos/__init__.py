"""ESC/POS printers: status, pages as raster, proof of print."""
