"""Pictures become anatomy: what an image shows, where, and how sure that is.

Takes images, gives segmentations, needle poses and measurements. Reads no file of a user and gives no advice.
"""
