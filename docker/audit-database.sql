CREATE DATABASE smartauth_audit;
